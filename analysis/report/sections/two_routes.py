"""Two routes in one run, where there are two (sections/pairs.py says it)."""

from analysis.page.blocks import Section
from analysis.report.sections import pairs
from analysis.report.two_routes import loads
from analysis.report.view import View

PLACE = 35  # in the report


def section(view: View) -> Section:
    """All that was compared."""
    if view.routes is None:
        return Section("")
    at = loads(view.t, view.run.plan)
    return pairs.section(view.t, view.routes.rows, view.routes.found, at)
