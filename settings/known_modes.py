"""The names of the modes, as loadshapes/modes registers them. Pure.

Options say by name which modes read them, and stand below the modes: they learn here which there
are. Asked before the modes are imported, it raises rather than answer that there are none.
"""

_names: tuple[str, ...] = ()
_parts: tuple[str, ...] = ()


def register(names: tuple[str, ...], parts: tuple[str, ...]) -> None:
    """Say which modes there are, in order, and which of them mode full is made of."""
    global _names, _parts
    _names, _parts = names, parts


def known() -> tuple[str, ...]:
    """Every mode, in order. RuntimeError before `loadshapes.modes` was imported."""
    if not _names:
        raise RuntimeError("no mode is registered yet: import loadshapes.modes first")
    return _names


def parts() -> tuple[str, ...]:
    """The modes that mode full is made of, in order. RuntimeError as `known`."""
    known()
    return _parts
