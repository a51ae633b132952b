"""What is known about a model before anything is sent."""

from typing import Any

import pytest

from compat.known import keyed, of_manifest

HOST = "https://gateway.example/v1"


@pytest.mark.parametrize(
    ("gateway", "options", "expected"),
    [
        ({"auth": "bearer", "headers": [], "base_url": HOST}, {}, True),
        ({"auth": "api-key", "headers": [], "base_url": f"{HOST}?api-version=1"}, {}, True),
        ({"auth": "bearer", "headers": ["OpenAI-Organization"], "base_url": HOST}, {}, True),
        ({"auth": "bearer", "base_url": "https://gateway.example/team-7/compatible/v1"}, {}, True),
        ({"auth": "bearer", "base_url": "https://h.example/compatible-with-all-of/v1"}, {}, True),
        ({"auth": "none", "base_url": HOST}, {}, False),
        ({"auth": "bearer", "headers": ["X-Key"], "base_url": HOST}, {}, False),
        ({"auth": "bearer", "base_url": f"{HOST}?key=***"}, {}, False),
        ({"auth": "bearer", "base_url": f"{HOST}?api-version=1&code=***"}, {}, False),
        ({"auth": "bearer", "base_url": f"{HOST}?team"}, {}, False),
        ({"auth": "bearer", "base_url": "https://h.example/0f3c9a8b7d6e5f4a3b2c/v1"}, {}, False),
        ({"auth": "bearer", "base_url": HOST}, {"client_cert": "me.pem"}, False),
        ({}, {}, True),  # of a run before these were kept
    ],
)  # fmt: skip
def test_a_wrong_key_is_not_tried_if_something_else_may_be_the_key(
    gateway: dict[str, Any], options: dict[str, Any], expected: bool
) -> None:
    """It would be served because of the real credential, and a healthy gateway would be accused."""
    assert keyed(gateway, options) is expected
    survey = of_manifest("m", {"gateway": gateway, "options": options}, "r")
    (check,) = (candidate for candidate in survey.checks if candidate.id == "error.key")
    why = check.not_tried(survey.setting)
    assert (why is None) is expected
    assert why is None or "may be the key" in why.en
