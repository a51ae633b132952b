"""The command line: `python -m analysis report|summary|check|compare|reconcile|...`.

Exit codes: 0 done, 1 a run failed a check, a comparison shows a regression, or a bill does not
agree, 2 the operator must change something; one sentence on stderr, after `weighbridge: `, says
what.
"""

import os
import sys
from collections.abc import Sequence

from analysis.compare import command as compare
from analysis.enrol import command as enrol
from analysis.export import command as export
from analysis.failover import command as failover
from analysis.features import command as features
from analysis.reading import import_command
from analysis.reconcile import command as reconcile
from analysis.report import command as report
from analysis.watch import command as watch
from recording.chinese import asked_language, in_language
from recording.chinese.parser import Parser, into_chinese
from recording.errors import OperatorError
from recording.untrusted_text import printable


def main(arguments: Sequence[str] | None = None, prog: str = "python -m analysis") -> int:
    """Run one command; returns the exit code. `prog`: how the help calls this program."""
    words = sys.argv[1:] if arguments is None else arguments
    lang = asked_language(words, os.environ)
    known = parser(prog)
    if lang == "zh":
        into_chinese(known)
    options = known.parse_args(arguments)
    try:
        failed = options.command(options)
    except OperatorError as error:
        print(f"weighbridge: {printable(in_language(str(error), lang))}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output has gone: nothing is left to say
        return 0
    except OSError as error:
        where = error.filename or "a file"
        why = f"{where} cannot be used ({error.strerror}): give another path."
        print(f"weighbridge: {printable(in_language(why, lang))}", file=sys.stderr)
        return 2
    except (AttributeError, KeyError, IndexError, TypeError, ValueError, RecursionError) as error:
        if os.environ.get("WEIGHBRIDGE_TRACEBACK"):
            raise
        why = (
            f"a file that was given cannot be read as what it should be ({type(error).__name__}: "
            f"{error}): restore it; WEIGHBRIDGE_TRACEBACK=1 shows where it was found."
        )
        print(f"weighbridge: {printable(in_language(why, lang))}", file=sys.stderr)
        return 2
    return 1 if failed else 0


def parser(prog: str) -> Parser:
    """What the command line may contain."""
    top = Parser(
        prog=prog,
        description="Read, judge, compare and export runs, and hold them against bills and logs.",
    )
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    report.add_commands(commands)
    compare.add_commands(commands)
    reconcile.add_command(commands)
    export.add_commands(commands)
    features.add_commands(commands)
    enrol.add_command(commands)
    watch.add_command(commands)
    failover.add_commands(commands)
    import_command.add_command(commands)
    return top


if __name__ == "__main__":
    sys.exit(main())
