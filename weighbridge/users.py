"""For a locustfile of your own: `from weighbridge.users import GatewayUser`.

Importing this sets Weighbridge up under Locust: its options, its recording, its plans. A class of
yours that extends GatewayUser is spawned in its place, and in mode interactive a LoadTestShape of
yours says how many there are.
"""

import importlib.util
import sys

from weighbridge import HOME

_NAME = "weighbridge_locustfile"  # the operator's own is called locustfile, too

if _NAME not in sys.modules:
    _spec = importlib.util.spec_from_file_location(_NAME, HOME / "locustfile.py")
    assert _spec is not None and _spec.loader is not None
    sys.modules[_NAME] = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(sys.modules[_NAME])

from recording.record import RequestRecord  # noqa: E402
from tasks.users import GatewayUser  # noqa: E402

__all__ = ["GatewayUser", "RequestRecord"]
