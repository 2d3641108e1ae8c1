"""What the exit status of ``platereader`` says."""

EXIT_OK = 0
"""Everything was done."""

EXIT_FAILED_INPUTS = 1
"""Some inputs failed, and the command ran through; or standard output was closed. Standard error says which and why."""

EXIT_USAGE = 2
"""Options or names that do not exist or do not go together; nothing was done."""

EXIT_BROKEN = 3
"""Weights, a data set or an optional package are missing or damaged."""

EXIT_INTERRUPTED = 130
"""Stopped by Ctrl-C."""
