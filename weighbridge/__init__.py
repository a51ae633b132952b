"""Weighbridge: load tests for OpenAI-compatible LLM gateways that also count the money.

The program's own packages (recording, rules, settings, loadshapes, tasks, engine, webui, analysis,
simulator) and its locustfile have short names that would clash in somebody's environment. In a
checkout they stand beside this package; an installed Weighbridge holds them in `_home`, inside it.
Importing this package makes them importable, wherever they are.
"""

import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent
HOME = _HERE / "_home" if (_HERE / "_home").is_dir() else _HERE.parent
"""The folder of our locustfile and packages."""

# First, for the folder it is started in may hold a package called tasks, too.
sys.path[:] = [str(HOME), *(place for place in sys.path if place != str(HOME))]
