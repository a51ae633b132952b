"""The text of an event (recording/event_text.py), in the language of a report."""

from analysis.page.words import Words
from recording import event_text
from recording.events import Event


def clause(t: Words, event: Event) -> str:
    """One clause on an event; for an unknown kind, its fields as they stand."""
    return t(*event_text.clause(event))


def sentence(t: Words, head: str, why: str) -> str:
    """A sentence of `head` and, if there is a reason, a colon and the reason."""
    stop = t.stop
    return f"{head}{t.colon}{why.removesuffix('.')}{stop}" if why else f"{head}{stop}"
