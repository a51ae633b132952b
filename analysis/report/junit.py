"""The checks of a run as JUnit XML for CI servers: one test case per check."""

import re
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from analysis.reading.atomic_file import replacing
from analysis.reading.load import Run
from analysis.report.check import Check
from recording.untrusted_text import printable

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot contain, not even escaped."""


def write(checks: Sequence[Check], run: Run, path: Path) -> None:
    """Write the file, replacing `path` in one step. Raises OSError."""
    with replacing(path) as file:
        file.write(render(checks, run))


def render(checks: Sequence[Check], run: Run) -> str:
    """The XML text: one suite for the run, and one test case per check.

    A case's time is how many seconds its phase was under load. An unknown result is a failure too,
    of type `unknown`.
    """
    failures = str(sum(not check.passed for check in checks))
    totals = {"tests": str(len(checks)), "failures": failures, "errors": "0"}
    time = f"{checks[0].wall_s if checks else 0:.3f}"  # the first check is the whole run's
    root = ElementTree.Element("testsuites", {"name": "weighbridge", "time": time, **totals})
    attributes = {"name": _text(run.run_id), "time": time, **totals, "skipped": "0"}
    if began := run.started_at:
        # JUnit's timestamps have neither fractions of a second nor a time zone.
        attributes["timestamp"] = _text(str(began)[:19])
    suite = ElementTree.SubElement(root, "testsuite", attributes)
    simulated = {"name": "simulated", "value": str(run.simulated).lower()}
    ElementTree.SubElement(ElementTree.SubElement(suite, "properties"), "property", simulated)
    for check in checks:
        names = {"classname": "weighbridge", "name": _text(check.requirement)}
        case = ElementTree.SubElement(suite, "testcase", {**names, "time": f"{check.wall_s:.3f}"})
        text = _text(str(check))
        if check.passed:
            ElementTree.SubElement(case, "system-out").text = text
        else:
            failure = {"message": text, "type": check.verdict}
            ElementTree.SubElement(case, "failure", failure).text = text
    ElementTree.indent(root)
    body = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _text(text: str) -> str:
    return _NO_XML.sub("\ufffd", printable(text))
