"""A field that a gateway refused in a model's bodies, and how it has been sent since. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from recording.manifest_content import ChangedBody


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyChange:
    """A field that the gateway refused in a model's bodies, and how it has been sent since.

    `sent_as` is where it was, `to` where it goes now, and `said` the gateway's words. `arm` is the
    route that refused it, where there are two.
    """

    model: str
    field: str
    sent_as: str
    to: str
    status: int
    said: str
    phase: str
    task_id: str
    arm: str = ""

    def as_dict(self) -> ChangedBody:
        """Plain values, as manifests and events hold them (`sent_as` is called `from` there)."""
        content: ChangedBody = {
            "model": self.model,
            "field": self.field,
            "from": self.sent_as,
            "to": self.to,
            "status": self.status,
            "said": self.said,
            "phase": self.phase,
            "task_id": self.task_id,
        }
        if self.arm:
            content["arm"] = self.arm
        return content

    @classmethod
    def of(cls, line: Mapping[str, Any]) -> "BodyChange":
        """The inverse of `as_dict`, also for a line of a manifest."""
        return cls(
            model=str(line["model"]),
            field=str(line["field"]),
            sent_as=str(line.get("from", "")),
            to=str(line.get("to", "")),
            status=int(line.get("status") or 0),
            said=str(line.get("said", "")),
            phase=str(line.get("phase", "")),
            task_id=str(line.get("task_id", "")),
            arm=str(line.get("arm", "")),
        )
