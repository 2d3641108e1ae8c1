"""``python -m platereader``."""

import sys

from platereader.cli import main

sys.exit(main())
