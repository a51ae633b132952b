"""What generators changed in request bodies after refusals: each change is reported once."""

import logging
from collections.abc import Mapping
from typing import Any

from recording.arms import GATEWAY
from recording.body_change import BodyChange
from recording.untrusted_text import quoted
from settings.body_profile import way_of

log = logging.getLogger("weighbridge")


class BodyChanges:
    """The changes so far; `known` goes to every generator with its next phase."""

    def __init__(self, manifest: Mapping[str, Any] | None = None) -> None:
        """Starts with the changes of an interrupted run's `manifest`, which still hold."""
        changes = manifest.get("body_changes", ()) if manifest is not None else ()
        self.known: list[BodyChange] = [BodyChange.of(change) for change in changes]

    def add(self, change: BodyChange) -> bool:
        """Adds a change and warns of it, once per route, model and field; whether it was new."""
        key = (change.arm, change.model, change.field)
        if any((known.arm, known.model, known.field) == key for known in self.known):
            return False
        self.known.append(change)
        log.warning(
            "%s: the %s refuses %s (HTTP %s: %s); sent again and from now on: %s",
            change.model,
            change.arm or GATEWAY,
            change.field,
            change.status,
            quoted(change.said),
            way_of(change),
        )
        return True
