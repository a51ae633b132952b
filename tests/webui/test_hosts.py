"""The names under which a browser may use the web UI."""

import socket

import pytest
from locust.argument_parser import get_empty_argument_parser, setup_parser_arguments

from engine.control import Control
from webui.hosts import is_ours, own_names


@pytest.mark.parametrize(
    "host",
    ["localhost:8089", "localhost", "LOCALHOST.", "127.0.0.1:8089", "[::1]:8089", "10.1.2.3:80",
     "app.localhost:1", "loadtest.acme.example:8089", "Box:1", socket.gethostname()],
)  # fmt: skip
def test_names_of_this_server_are_accepted(host: str) -> None:
    assert is_ours(host, own_names("box", "loadtest.acme.example, other"))


@pytest.mark.parametrize(
    "host",
    ["attacker.example", "attacker.example:8089", "", "127.0.0.1.attacker.example", "0x7f000001",
     "localhost.evil", "acme.example", "x.loadtest.acme.example", "127.0.0.1@evil",
     "evil\r\nlocalhost"],
)  # fmt: skip
def test_other_names_are_refused(host: str) -> None:
    assert not is_ours(host, own_names("", "loadtest.acme.example"))


@pytest.mark.parametrize(
    ("arguments", "where"),
    [([], "127.0.0.1"), (["--web-host", "0.0.0.0"], "0.0.0.0"), (["--web-host", "*"], "*")],
)
def test_the_web_ui_listens_on_loopback_unless_told_otherwise(
    arguments: list[str], where: str
) -> None:
    """With plain `locust` too, not only with `weighbridge ui`."""
    parser = get_empty_argument_parser()
    setup_parser_arguments(parser)
    Control(lambda *_: None, lambda *_: None).on_init_command_line_parser(parser)
    assert parser.parse_args(arguments).web_host == where
