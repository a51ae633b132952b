"""LiteLLM's proxy with a test's configuration, and its log of every request as JSONL."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tests.interop.servers import free_port, installed, serving

VERSION = "1.108.7"
WRITER = """
import json
from litellm.integrations.custom_logger import CustomLogger

class Writer(CustomLogger):
    def write(self, kwargs):
        with open("requests.jsonl", "a") as file:
            file.write(json.dumps(kwargs["standard_logging_object"], default=str) + "\\n")

    async def async_log_success_event(self, kwargs, response_obj, start_time, end_time):
        self.write(kwargs)

    async def async_log_failure_event(self, kwargs, response_obj, start_time, end_time):
        self.write(kwargs)

writer = Writer()
"""
"""`callbacks: writer.writer` under `litellm_settings` writes what LiteLLM calls its standard
logging payload into requests.jsonl beside the configuration."""


@contextlib.contextmanager
def litellm_proxy(config: str, place: Path) -> Iterator[str]:
    """Runs the proxy with this configuration (YAML) in this folder; yields its root URL."""
    program = installed("litellm", VERSION, f"litellm[proxy]=={VERSION}") / "litellm"
    path, port = place / "config.yaml", free_port()
    path.write_text(config, encoding="utf-8")
    (place / "writer.py").write_text(WRITER, encoding="utf-8")
    command = [str(program), "--config", str(path), "--host", "127.0.0.1", "--port", str(port),
               "--telemetry", "False"]  # fmt: skip
    with serving(command, port, place / "litellm.log", LITELLM_LOCAL_MODEL_COST_MAP="True") as root:
        yield root
