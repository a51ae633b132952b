"""What a person is advised to do about a gateway that cannot be reached."""

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
def test_a_proxy_that_cannot_be_reached_is_named_in_place_of_the_gateway(words: str) -> None:
    assert "proxy.corp:3128" in remedy(words, "proxy.corp:3128")
    assert remedy(words) == CHECK


def test_a_proxy_that_forbids_the_host_is_not_advised_as_unreachable() -> None:
    message = "the proxy refused the tunnel: HTTP/1.1 403 Forbidden"
    assert "forbids this host" in remedy(message, "proxy.corp:3128")
