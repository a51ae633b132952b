"""`python -m weighbridge`, and in a checkout `python path/of/weighbridge`."""

import sys
from pathlib import Path

if not __package__:  # a folder that is run is not a package, and is itself on the path
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from weighbridge.command import main  # noqa: E402

sys.exit(main())
