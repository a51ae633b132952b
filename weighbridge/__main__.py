"""`python -m weighbridge`."""

import sys

from weighbridge.command import main

sys.exit(main())
