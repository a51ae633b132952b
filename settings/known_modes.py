"""The names of the modes, as loadshapes/modes registers them. Pure.

Options name the modes that read them, but are imported before the modes; this registry tells them
which modes exist. Before the modes are imported it raises, rather than answer that there are none.
"""

_names: tuple[str, ...] = ()
_parts: tuple[str, ...] = ()


def register(names: tuple[str, ...], parts: tuple[str, ...]) -> None:
    """Register the modes, in order, and the ones that mode full consists of."""
    global _names, _parts
    _names, _parts = names, parts


def known() -> tuple[str, ...]:
    """Every mode, in order. Raises RuntimeError before `loadshapes.modes` is imported."""
    if not _names:
        raise RuntimeError("no mode is registered yet: import loadshapes.modes first")
    return _names


def parts() -> tuple[str, ...]:
    """The modes that mode full consists of, in order. Raises RuntimeError as `known` does."""
    known()
    return _parts
