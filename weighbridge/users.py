"""For your own locustfile: `from weighbridge.users import GatewayUser`.

Importing this sets Weighbridge up under Locust: its options, its recording, its plans. Your
subclass of GatewayUser is spawned instead of it, and in mode interactive your LoadTestShape sets
the number of users.
"""

import importlib.util
import sys

from weighbridge import HOME

_NAME = "weighbridge_locustfile"  # the operator's own file is called locustfile, too

if _NAME not in sys.modules:
    _spec = importlib.util.spec_from_file_location(_NAME, HOME / "locustfile.py")
    assert _spec is not None and _spec.loader is not None
    sys.modules[_NAME] = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(sys.modules[_NAME])

from recording.record import RequestRecord  # noqa: E402
from tasks.users import GatewayUser  # noqa: E402

__all__ = ["GatewayUser", "RequestRecord"]
