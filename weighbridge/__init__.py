"""Weighbridge: load tests for OpenAI-compatible LLM gateways that also count the money.

The program's own packages (recording, rules, settings, loadshapes, tasks, engine, webui, analysis,
simulator) and its locustfile have short names that could clash with others in an environment. In a
checkout they are beside this package; an installed Weighbridge has them in its folder `_home`.
Importing this package makes them importable from either place.
"""

import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent
HOME = _HERE / "_home" if (_HERE / "_home").is_dir() else _HERE.parent
"""The folder of our locustfile and packages."""

# First, because the current folder may have a package called tasks, too.
sys.path[:] = [str(HOME), *(place for place in sys.path if place != str(HOME))]
