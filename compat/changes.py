"""What changed between two compat.json files. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from compat.cells import Cell
from compat.verdict import Verdict

_UNKNOWN = (Verdict.UNSURE, Verdict.NOT_TRIED)


@dataclass(frozen=True, slots=True)
class Change:
    """One cell before and after; None on the side of a run that does not have it."""

    before: Cell | None
    after: Cell | None

    @property
    def cell(self) -> Cell:
        """The later cell, or the earlier one if the later run does not have it."""
        cell = self.after or self.before
        assert cell is not None
        return cell

    @property
    def regression(self) -> bool:
        """Whether it worked before and is now shown not to; unsure and not tried do not count."""
        return (
            self.before is not None and self.after is not None
            and self.before.verdict is Verdict.WORKS and self.after.verdict.accuses
        )  # fmt: skip

    @property
    def doubtful(self) -> bool:
        """Whether either side is unknown, so that there may be no real change."""
        sides = (self.before, self.after)
        return any(side is None or side.verdict in _UNKNOWN for side in sides)


def changes(before: Sequence[Cell], after: Sequence[Cell]) -> list[Change]:
    """The cells whose verdict differs, in the order of `after`, then those that it lacks."""
    old, new = _by_key(before), _by_key(after)
    keys = [*new, *(key for key in old if key not in new)]
    return [
        Change(old.get(key), new.get(key)) for key in keys
        if key not in old or key not in new or old[key].verdict != new[key].verdict
    ]  # fmt: skip


def _by_key(cells: Sequence[Cell]) -> dict[tuple[str, str, str], Cell]:
    return {(cell.model, cell.arm, cell.check): cell for cell in cells}
