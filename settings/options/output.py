"""What is written, where, and what is displayed. Pure."""

from dataclasses import dataclass
from functools import partial

from settings.option import option

_output = partial(option, group="output")


@dataclass(frozen=True, kw_only=True)
class Output:
    """What is written, where, and what is displayed."""

    results: str = _output("results", "folder that holds the run folders", web=False)
    run_id: str = _output(
        "", "name of the run and of its folder (empty: made from the time)", web=False
    )
    output: str = _output(
        "",
        "also write the rows to this path, as JSONL in the format of the article's script",
        anew=True,
        web=False,
    )
    lang: str = _output(
        "en",
        "language of the report and of what the terminal says of the run",
        choices=("en", "zh"),
        anew=True,
    )
    no_content: bool = _output(
        False,
        "keep prompts and replies out of every file: no content, no check_detail, no error message "
        "of the gateway, no --tools-prompt, --image-text or --extra-body (--resume needs these "
        "options again)",
    )
    web_names: str = _output(
        "",
        "additional host names under which a browser may open the web UI, separated by commas",
        anew=True,
        web=False,
    )
    metrics_port: int = _output(
        0,
        "serve Prometheus metrics of the run on this port (0: off)",
        anew=True,
        web=False,
        at_least=0,
        at_most=65535,
    )
    metrics_host: str = _output(
        "127.0.0.1", "address on which the metrics are served", anew=True, web=False
    )
