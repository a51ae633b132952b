"""Parses the times in a run's files: ISO 8601, or text that is not a time."""

from datetime import UTC, datetime


def moment(label: object) -> datetime | None:
    """The time, in UTC if the text names no zone; None if it is not a time."""
    try:
        time = datetime.fromisoformat(str(label))
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
