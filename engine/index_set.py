"""The set of requests of a phase that have come back. Pure."""


class Indices:
    """A set of whole numbers from 0 on, a byte each: Python's own takes sixty for one."""

    def __init__(self) -> None:
        self._known = bytearray()

    def add(self, index: int) -> None:
        """Have the number in the set."""
        if index >= len(self._known):
            self._known.extend(bytes(index + 1 - len(self._known)))
        self._known[index] = 1

    def __len__(self) -> int:
        """One more than the highest of them."""
        return len(self._known)

    def __contains__(self, index: int) -> bool:
        return index < len(self._known) and self._known[index] == 1
