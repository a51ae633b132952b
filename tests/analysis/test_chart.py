"""Charts: round ticks, points inside the frame, extremes kept when points are thinned."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.page.chart import HEIGHT, WIDTH, Chart, Look, Series, figure, svg, ticks
from analysis.report.plots import thin

NUMBERS = st.floats(-1e9, 1e9, allow_subnormal=False).map(lambda x: round(x, 3))


@given(NUMBERS, NUMBERS)
def test_ticks_enclose_the_data_in_round_steps(a: float, b: float) -> None:
    low, high = sorted((a, b))
    tick_values = ticks(low, high)
    hair = max(high - low, 1) * 1e-6
    assert tick_values[0] <= low + hair and tick_values[-1] >= high - hair
    assert 2 <= len(tick_values) <= 8
    assert tick_values == sorted(set(tick_values))


def test_ticks_are_those_worked_by_hand() -> None:
    assert ticks(0, 7.5) == [0, 2, 4, 6, 8]
    assert ticks(0, 100) == [0, 20, 40, 60, 80, 100]
    assert ticks(0, 0) == [0, 0.2, 0.4, 0.6, 0.8, 1]
    assert [figure(x) for x in (0.2, 1000, 0, 2e-5)] == ["0.2", "1,000", "0", "2e-05"]


@settings(max_examples=40)
@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=50))
def test_every_point_lands_inside_the_frame(points: list[tuple[float, float]]) -> None:
    drawn = svg(Chart("t", "x", "y", [Series("s", points, "dots")]))
    path = re.search(r'class="dots c0" d="([^"]*)"', drawn)
    assert path
    places = re.findall(r"M([-\d.e]+) ([-\d.e]+)h0", path[1])
    assert len(places) == len(points)
    for x, y in places:
        assert 0 <= float(x) <= WIDTH and 0 <= float(y) <= HEIGHT


@pytest.mark.parametrize("look", ["line", "steps", "dots", "crosses", "marked"])
def test_each_kind_of_chart_is_well_formed_xml_with_escaped_text(look: Look) -> None:
    series = Series("<s>", [(1, 2), (3, 4)], look, 9)
    ET.fromstring(svg(Chart('"<t>&', "<x>", "<y>", [series, Series("none", [])], log_x=True)))


@given(st.lists(st.floats(0, 100), min_size=1, max_size=500), st.integers(2, 60))
def test_thinning_keeps_the_extremes_and_the_order(values: list[float], limit: int) -> None:
    limit -= limit % 2
    x, y = np.arange(float(len(values))), np.array(values)
    thinned = thin(x, y, limit)
    assert len(thinned) <= max(limit, 2)
    assert thinned == sorted(thinned)
    heights = [height for _, height in thinned]
    assert min(heights) == round(float(y.min()), 6) and max(heights) == round(float(y.max()), 6)
