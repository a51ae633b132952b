"""Your own locustfile: a user class, and a shape that sets the number of users.

weighbridge interactive -f docs/examples/stages.py --simulator --model gpt-5.4-nano
"""

import gevent
from locust import LoadTestShape

from weighbridge.users import GatewayUser, RequestRecord


class Reader(GatewayUser):
    """Reads an answer before sending the next request."""

    def after(self, record: RequestRecord) -> None:
        """Called when a request has ended."""
        gevent.sleep(0.2 if record.success else 1.0)


class Stages(LoadTestShape):
    """2 users for 3 s, then 5 for 3 s."""

    stages = ((3.0, 2), (6.0, 5))

    def tick(self) -> tuple[int, float] | None:
        """The number of users now, and how many are added per second; None ends the run."""
        for until_s, users in self.stages:
            if self.get_run_time() < until_s:
                return users, 10.0
        return None
