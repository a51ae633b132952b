"""What a gateway refused of the bodies to a model, and how they are sent since. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from recording.manifest_content import ChangedBody


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyChange:
    """A field of a model's bodies that the gateway refused, and how it is sent since.

    `sent_as` and `to` are where it stood and where it goes; `said` are the gateway's words. `arm`
    is the route that refused it, where there are two.
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
        """The change that `as_dict` made plain values of, or a manifest holds."""
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
