"""Options that may be given several times: on the command line, in a file, in the environment."""

from pathlib import Path

import configargparse
import pytest

from settings.command_line import add_arguments
from settings.options import Options, as_kept


def parsed(*arguments: str, config: Path | None = None) -> Options:
    class Parser(configargparse.ArgumentParser):  # type: ignore[misc]
        def add_argument(self, *names: str, **kwargs: object) -> object:
            kwargs.pop("include_in_web_ui", None)
            return super().add_argument(*names, **kwargs)

    parser = Parser(default_config_files=[str(config)] if config else [])
    add_arguments(Options, parser)
    return Options.of(parser.parse_args(list(arguments)))


def test_each_occurrence_adds_a_value() -> None:
    namespace = parsed("--header", "A=1", "--header", "B=x, [y]")
    assert namespace.headers == ("A=1", "B=x, [y]")
    assert parsed().headers == (), "nothing is kept from the parser before"


def test_several_values_are_read_from_the_environment_and_from_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "locust.conf"
    file.write_text("header = [A=1, B=2]\n")
    assert parsed(config=file).headers == ("A=1", "B=2")
    file.write_text("header = A=1\n")
    assert parsed(config=file).headers == ("A=1",)
    monkeypatch.setenv("WEIGHBRIDGE_HEADER", "C=3\nD=4, 5")
    assert parsed().headers == ("C=3", "D=4, 5")


def test_the_manifest_keeps_names_and_no_values() -> None:
    namespace = parsed("--header", "A=secret", "--key-command", "/opt/vault --token secret")
    manifest_options = as_kept(namespace.public())
    assert (manifest_options["header"], manifest_options["key_command"]) == ("A", "vault")
    assert "secret" not in str(manifest_options)
    assert parsed("--key-command", "a 'b").public().key_command == "(unreadable)"
