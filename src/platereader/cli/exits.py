"""What the exit status of ``platereader`` says."""

EXIT_OK = 0  # everything was done
EXIT_FAILED_INPUTS = 1  # some inputs failed, or standard output was closed; standard error says which and why
EXIT_USAGE = 2  # options or names that do not exist or do not go together; nothing was done
EXIT_BROKEN = 3  # weights, a data set or an optional package are missing or damaged
EXIT_INTERRUPTED = 130  # stopped by Ctrl-C
EXIT_TERMINATED = 143  # stopped by SIGTERM, where a command says nothing else of it
