"""Reads a file of `--prompts` or `--trace` in any known format into lines to send. Pure."""

from pathlib import Path

from loadshapes.own_traffic.formats import misplaced, shape_of, unknown
from loadshapes.own_traffic.formats.containers import rows, text_of
from loadshapes.own_traffic.line import PLACE, Json, Line, checked, written
from loadshapes.own_traffic.trace import CLOCKS
from loadshapes.own_traffic.trace_slice import WHOLE, Slice
from loadshapes.own_traffic.traffic import Traffic, gathered, refuse
from recording.errors import OperatorError
from recording.row_notes import Notes, clause

LARGEST_MIB = 16  # limit for the requests: the master sends them to every worker in one message


def read(path: str, option: str, trace: bool, closed: bool = True, part: Slice = WHOLE) -> Traffic:
    """The file of `--prompts` or `--trace`, in any known shape (tasks/shapes).

    `closed`: conversations are possible. `part` is the requested slice of a trace. Raises
    OperatorError, which names every faulty line or says in one sentence why the file cannot be
    used.
    """
    try:
        raw = Path(path).read_bytes()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "that is no path"
        page = "replay" if trace else "prompts"
        raise OperatorError(
            f"--{option} {path} cannot be read ({why}): give a file with one request per line, in "
            f"JSON (docs/how-to/{page}.md)."
        ) from None
    try:
        parsed = translated(text_of(raw), trace, closed, part)
    except ValueError as error:
        fix = (
            ""
            if ": " in str(error) and not str(error).startswith(("line", "item"))
            else ("; mend the file")
        )
        raise OperatorError(f"--{option} {path}: {error}{fix}.") from None
    if len(parsed.text) > LARGEST_MIB * 2**20:
        raise OperatorError(
            f"--{option} {path} comes to {len(parsed.text) / 2**20:.1f} MiB of requests; they "
            f"are sent to every worker, so they may have at most {LARGEST_MIB} MiB: make several "
            "runs of it"
            f"{', or take a part with --trace-from and --trace-to' if trace else ''}."
        )
    return parsed


def translated(text: str, trace: bool, closed: bool = True, part: Slice = WHOLE) -> Traffic:
    """A file's text in any known format as traffic. Raises ValueError with the message of
    `read`.
    """
    called, entries = rows(text)
    notes, faults, names = Notes(), [], dict[str, None]()
    lines: list[Line] = []
    read_rows: list[Json] = []
    texts: list[str] = []
    same, first = True, True
    for number, row in entries:
        try:
            if isinstance(row, ValueError):
                raise row
            if not isinstance(row, dict):
                raise ValueError("it must be a JSON object")
            if PLACE in row:
                raise ValueError(f"{PLACE!r} is not a key of a line")
            shape = shape_of(row, trace)
            if shape is None:
                if first:
                    raise _Unknown(unknown(row))
                raise ValueError("it is in no known format, although the lines before it are")
            if first and (elsewhere := misplaced(shape, trace)):
                raise _Unknown(elsewhere)
            first = False
            translation = shape.read(row, trace, closed, notes)
            if translation is None:
                same = False
                continue
            name: Json = {}
            if translation is not row:
                same = False
                names[shape.name] = None
                name = translation.get(PLACE, {})
                translation = {key: value for key, value in translation.items() if key != PLACE}
            line, written_ = checked(number, translation, trace, name)
        except _Unknown:
            raise
        except ValueError as error:
            first = False
            faults.append(f"{called} {number}: {error}")
        else:
            lines.append(line)
            read_rows.append(translation)
            texts.append(written_)
    refuse(faults)
    if not lines:
        raise ValueError(_nothing(notes))
    if names:
        notes.add("shape", names, len(lines))
    if trace and part:
        places, offsets = part.places(read_rows)
        if len(places) < len(lines):
            notes.add("outside", count=len(lines) - len(places))
        lines = [lines[place] for place in places]
        read_rows = [
            {**{k: v for k, v in read_rows[place].items() if k not in CLOCKS}, "at_s": offset}
            for place, offset in zip(places, offsets, strict=True)
        ]
        texts, same = [written(row) for row in read_rows], False
    if not same or called != "line":
        text = "\n".join(
            _placed(line, written_) for line, written_ in zip(lines, texts, strict=True)
        )
    return gathered(lines, read_rows, text, trace, notes.as_list())


class _Unknown(ValueError):
    """The whole file is unusable, whatever its other rows contain."""


def _nothing(notes: Notes) -> str:
    reasons = "; ".join(clause(note) for note in notes.as_list())
    return (
        f"nothing is left to send: {reasons}"
        if reasons
        else "it is empty, so there is nothing to send"
    )


def _placed(line: Line, text: str) -> str:
    """A line in our format that keeps its original place and name."""
    place = (
        f'{{"line": {line.number}}}'
        if not line.name
        else written({"line": line.number, **line.name})
    )
    return f'{{"{PLACE}": {place}, {text[1:]}'
