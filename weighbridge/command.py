"""The command `weighbridge`: a run by its mode, or one of the tools.

Locust makes the run: `weighbridge rpm ...` is `locust --headless --mode rpm ...` with our
locustfile, from any folder. It takes all options of ours and of Locust's.
"""

import os
import sys
from collections.abc import Sequence

from recording.chinese import asked_language, in_language
from weighbridge import HOME

ANALYSIS = ("report", "summary", "check", "compare", "timeline", "reconcile", "export", "import",
            "needs", "enrol", "failover", "hung-up", "watch", "spans")  # fmt: skip
"""The commands of `python -m analysis`, under the same names."""
DEMO = (
    "--simulator", "--mode", "full", "--quick", "--model", "gpt-5.4-nano", "--steps", "100",
    "--repeat", "1", "--step-pause", "0",
    "--parts", "ladder,rpm,cache,tools,reasoning,vision",
)  # fmt: skip
OTHERS = ("demo", "ui", "worker", "simulator")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns the exit code. A run ends the process itself, as Locust does."""
    from loadshapes.modes import MODES
    from weighbridge import help

    given = list(sys.argv[1:] if arguments is None else arguments)
    what, *rest = given or ["--help"]
    lang = asked_language(given, os.environ)
    said, wanted = help.Help(lang), bool({"-h", "--help"} & {what, *rest})
    if what in ("-h", "--help", "help") or (what.startswith("--lang") and wanted):
        print(said.page(), end="")
        return 0
    if what in ("-V", "--version"):
        print(help.version())
        return 0
    if what in MODES and wanted:
        print(said.of_mode(what), end="")
        return 0
    if what in MODES:
        return _run("--headless", "--mode", what, *rest)
    if what == "demo":
        print(f"weighbridge: {said.demo()}", file=sys.stderr, flush=True)
        return _run("--headless", *DEMO, *rest)
    if what == "ui":
        return _run(*rest)
    if what == "worker":
        return _run("--worker", *rest)
    if what in ANALYSIS:
        from analysis.__main__ import main as analyse

        return analyse(given, "weighbridge")
    if what == "simulator":
        from simulator.__main__ import main as simulate
        from simulator.__main__ import parser
        from simulator.faults import FAULTS

        if wanted:
            print(said.simulator(parser(), FAULTS), end="")
            return 0
        simulate(rest)
        return 0
    sentence = help.unknown(what, (*MODES, *OTHERS, *ANALYSIS))
    print(f"weighbridge: {in_language(sentence, lang)}", file=sys.stderr)
    return 2


def _run(*arguments: str) -> int:
    """Runs Locust, with our locustfile unless another is named; it ends the process."""
    own = any(word in ("-f", "--locustfile") or word.startswith("--locustfile=")
              for word in arguments)  # fmt: skip
    file = () if own else ("-f", str(HOME / "locustfile.py"))
    sys.argv = ["weighbridge", *file, *arguments]
    from locust.main import main as locust  # it patches the standard library, so it comes first

    locust()
    return 0
