"""What docs/how-to/simulator.md shows is true."""

import re
import tomllib

from simulator import features, profile
from tests.simulator.gateway import ROOT

PAGE = (ROOT / "docs" / "how-to" / "simulator.md").read_text(encoding="utf-8")


def test_every_profile_on_the_page_is_one() -> None:
    tables = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert tables
    for table in tables:
        features.parse(profile.parse(tomllib.loads(table), "page").features)
