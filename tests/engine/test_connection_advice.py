"""What a person is told to do about a gateway that cannot be reached."""

import pytest

from engine.connection_advice import CHECK, remedy


@pytest.mark.parametrize(
    "words",
    (
        "ConnectionRefusedError: [Errno 111] Connection refused",
        "gaierror: [Errno -2] Name or service not known",
        "OSError: [Errno 113] No route to host",
    ),
)
def test_where_a_proxy_is_not_reached_it_is_the_proxy_that_is_named(words: str) -> None:
    assert "proxy.corp:3128" in remedy(words, "proxy.corp:3128")
    assert remedy(words) == CHECK


def test_a_proxy_that_forbids_the_host_is_told_as_before() -> None:
    said = "the proxy refused the tunnel: HTTP/1.1 403 Forbidden"
    assert "forbids this host" in remedy(said, "proxy.corp:3128")
