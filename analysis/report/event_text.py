"""The text of an event (recording/event_text.py), in the language of a report."""

from analysis.page.words import Words
from recording.event_text import clause
from recording.events import Event


def told(t: Words, event: Event) -> str:
    """One clause on an event; for an unknown kind, its fields as they stand."""
    return t(*clause(event))


def sentence(t: Words, head: str, why: str) -> str:
    """A sentence and, after a colon, its reason, if there is one."""
    stop = t.stop
    return f"{head}{t.colon}{why.removesuffix('.')}{stop}" if why else f"{head}{stop}"
