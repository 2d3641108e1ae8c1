"""``python -m platereader.cli``."""

import sys

from platereader.cli import main

sys.exit(main())
