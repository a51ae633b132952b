"""What changed between two compat.json. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from compat.cells import Cell
from compat.verdict import Verdict

_UNKNOWN = (Verdict.UNSURE, Verdict.NOT_TRIED)


@dataclass(frozen=True, slots=True)
class Change:
    """One cell before and after; None where only the other run has it."""

    before: Cell | None
    after: Cell | None

    @property
    def cell(self) -> Cell:
        """Whichever there is: the later one first."""
        found = self.after or self.before
        assert found is not None
        return found

    @property
    def regression(self) -> bool:
        """What worked, and is now seen not to: unsure and not tried are no sight of it."""
        return (
            self.before is not None and self.after is not None
            and self.before.verdict is Verdict.WORKS and self.after.verdict.accuses
        )  # fmt: skip

    @property
    def doubtful(self) -> bool:
        """Whether either side is not known, so that the change may be none."""
        sides = (self.before, self.after)
        return any(side is None or side.verdict in _UNKNOWN for side in sides)


def changes(before: Sequence[Cell], after: Sequence[Cell]) -> list[Change]:
    """The cells whose verdict differs, in the order of `after`, then those that are gone."""
    old, new = _by_key(before), _by_key(after)
    keys = [*new, *(key for key in old if key not in new)]
    return [
        Change(old.get(key), new.get(key)) for key in keys
        if key not in old or key not in new or old[key].verdict != new[key].verdict
    ]  # fmt: skip


def _by_key(cells: Sequence[Cell]) -> dict[tuple[str, str, str], Cell]:
    return {(cell.model, cell.arm, cell.check): cell for cell in cells}
