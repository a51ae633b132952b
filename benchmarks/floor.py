"""The floor: geventhttpclient alone, which records nothing. `python -m benchmarks.floor URL N C`"""

from gevent import monkey

monkey.patch_all()

import json  # noqa: E402
import sys  # noqa: E402
from collections.abc import Iterator  # noqa: E402
from urllib.parse import urlsplit  # noqa: E402

import gevent  # noqa: E402
from geventhttpclient import HTTPClient  # noqa: E402

BODY = {
    "model": "canned",
    "messages": [{"role": "user", "content": "Reply exactly: ok"}],
    "max_tokens": 16,
}
HEADERS = {"Content-Type": "application/json", "Authorization": "Bearer sk-bench"}


def user(base_url: str, numbers: Iterator[int]) -> None:
    """Sends requests on one connection until the numbers are used up."""
    client = HTTPClient.from_url(base_url)
    path = urlsplit(base_url).path + "/chat/completions"
    for _ in numbers:
        answer = client.post(path, json.dumps(BODY), HEADERS)
        json.loads(answer.read())
    client.close()


if __name__ == "__main__":
    url, requests, at_once = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    left = iter(range(requests))
    gevent.joinall([gevent.spawn(user, url, left) for _ in range(at_once)], raise_error=True)
