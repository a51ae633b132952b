"""Charts as data, drawn as inline SVG: no script, no style attribute, no external resource.

Points are thinned before they come here; the time to draw is linear in their number.
"""

from dataclasses import dataclass
from math import floor, isfinite, log10
from typing import Literal

from recording.untrusted_text import markup as escape

Points = list[tuple[float, float]]
Look = Literal["line", "steps", "dots", "crosses", "marked"]

WIDTH, HEIGHT = 640, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 16, 14, 44
_COLOURS = 8


@dataclass(frozen=True, slots=True)
class Series:
    """One line or cloud of points (x, y); `colour`, 0 to 7, is from the page's palette."""

    label: str
    points: Points
    look: Look = "line"
    colour: int = 0
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart with a title and named axes; the names include the units.

    `y_top` is the end of the y axis (None: from the data), `x_ticks` are the ticks of the x axis
    (empty: round numbers).
    """

    title: str
    x_label: str
    y_label: str
    series: list[Series]
    log_x: bool = False
    y_top: float | None = None
    x_ticks: tuple[float, ...] = ()


def svg(chart: Chart) -> str:
    """The chart as one `<svg>` element, 640 by 300 user units."""
    scale = _Scale(chart)
    label = f"{chart.title}: {chart.y_label} / {chart.x_label}"
    parts = [
        f'<svg class="chart" role="img" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'aria-label="{escape(label)}" xmlns="http://www.w3.org/2000/svg">',
        *_grid(chart, scale),
        *(_draw(series, scale) for series in chart.series if series.points),
        "</svg>",
    ]
    return "".join(parts)


class _Scale:
    """Converts data to the units of the drawing."""

    def __init__(self, chart: Chart) -> None:
        points = [p for series in chart.series for p in series.points]
        xs, ys = [x for x, _ in points] or [0.0], [y for _, y in points] or [0.0]
        self.log_x = chart.log_x and min(xs) > 0
        x_ticks = list(chart.x_ticks) or ticks(min(0.0, min(xs)), max(xs))
        self.x_ticks = [x for x in x_ticks if x > 0] if self.log_x else x_ticks
        self.y_ticks = ticks(min(0.0, min(ys)), chart.y_top or max(ys))
        low_x = min(xs) if self.log_x else min(self.x_ticks[0], min(xs))
        self._x0, self._x1 = self._place(low_x), self._place(max(max(xs), self.x_ticks[-1]))
        self._y0, self._y1 = self.y_ticks[0], self.y_ticks[-1]

    def _place(self, x: float) -> float:
        return log10(x) if self.log_x else x

    def x(self, value: float) -> float:
        """The horizontal position of a value, in user units."""
        span = (self._x1 - self._x0) or 1.0
        inner = WIDTH - _LEFT - _RIGHT
        return round(_LEFT + (self._place(value) - self._x0) / span * inner, 1)

    def y(self, value: float) -> float:
        """The vertical position of a value, in user units from the top."""
        span = (self._y1 - self._y0) or 1.0
        inner = HEIGHT - _TOP - _BOTTOM
        return round(HEIGHT - _BOTTOM - (value - self._y0) / span * inner, 1)


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """About so many round numbers from at most `low` to at least `high`.

    They are 1, 2 or 5 times a power of ten apart. Ends that are infinite, NaN or in the wrong order
    give ticks for one unit.
    """
    if not (isfinite(low) and isfinite(high)) or high <= low:
        high = low + 1.0
    raw = (high - low) / about
    power: float = 10.0 ** floor(log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw * (1 - 1e-9))
    first = floor(low / step + 1e-9)
    values = [first * step]
    while values[-1] < high - step * 1e-9:
        values.append((first + len(values)) * step)
    return [round(value, 12) for value in values]


def figure(value: float) -> str:
    """The label of a tick, without trailing zeros."""
    if value and (abs(value) >= 1e7 or abs(value) < 1e-4):
        return f"{value:g}"
    return f"{value:,.4f}".rstrip("0").rstrip(".")


def _grid(chart: Chart, scale: _Scale) -> list[str]:
    floor_y, right = HEIGHT - _BOTTOM, WIDTH - _RIGHT
    parts = []
    for tick in scale.y_ticks:
        y = scale.y(tick)
        parts.append(f'<line class="grid" x1="{_LEFT}" y1="{y}" x2="{right}" y2="{y}"/>')
        parts.append(f'<text class="tick end" x="{_LEFT - 8}" y="{y + 4}">{figure(tick)}</text>')
    for tick in scale.x_ticks:
        x = scale.x(tick)
        parts.append(f'<line class="axis" x1="{x}" y1="{floor_y}" x2="{x}" y2="{floor_y + 5}"/>')
        parts.append(f'<text class="tick mid" x="{x}" y="{floor_y + 18}">{figure(tick)}</text>')
    parts.append(f'<line class="axis" x1="{_LEFT}" y1="{floor_y}" x2="{right}" y2="{floor_y}"/>')
    middle_x, middle_y = (_LEFT + right) / 2, (_TOP + floor_y) / 2
    parts.append(
        f'<text class="name mid" x="{middle_x}" y="{HEIGHT - 6}">{escape(chart.x_label)}</text>'
    )
    parts.append(
        f'<text class="name mid" x="14" y="{middle_y}" '
        f'transform="rotate(-90 14 {middle_y})">{escape(chart.y_label)}</text>'
    )
    return parts


def _draw(series: Series, scale: _Scale) -> str:
    places = [(scale.x(x), scale.y(y)) for x, y in series.points]
    colour = f"c{series.colour % _COLOURS}"
    if series.look == "dots":
        path = "".join(f"M{x} {y}h0" for x, y in places)
        return f'<path class="dots {colour}" d="{path}"/>'
    if series.look == "crosses":
        path = "".join(f"M{x - 3:.1f} {y - 3:.1f}l6 6m-6 0l6 -6" for x, y in places)
        return f'<path class="line {colour}" d="{path}"/>'
    if series.look == "steps":
        (x0, y0), *rest = places
        path = f"M{x0} {y0}" + "".join(f"H{x}V{y}" for x, y in rest)
    else:
        path = "M" + "L".join(f"{x} {y}" for x, y in places)
    dash = " dashed" if series.dashed else ""
    marks = ""
    if series.look == "marked":
        dots = "".join(f"M{x} {y}h0" for x, y in places)
        marks = f'<path class="marks {colour}" d="{dots}"/>'
    return f'<path class="line{dash} {colour}" d="{path}"/>{marks}'
