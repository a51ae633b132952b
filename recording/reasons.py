"""Why a run, a phase or a worker ended: a closed set, each in English and Chinese. Pure."""

from enum import StrEnum
from typing import NamedTuple


class Said(NamedTuple):
    """A text in both languages of the report."""

    en: str
    zh: str


class Reason(StrEnum):
    """The `reason` of an event, and the `cause` of `ended`; the value is what the file holds."""

    STOPPED_BY_HAND = "stopped_by_hand"
    HEARTBEATS_STOPPED = "heartbeats_stopped"
    HEARTBEATS_STOPPED_DROPPED = "heartbeats_stopped_dropped"  # of early 0.1 runs
    UNCALIBRATED = "uncalibrated"
    CLIMB_ENDED = "climb_ended"
    MODEL_REFUSED = "model_refused"
    MODE_REFUSED = "mode_refused"
    BUDGET = "budget"
    UNPRICED = "unpriced"
    PAYMENT_REQUIRED = "payment_required"
    DISK = "disk"
    UNWRITABLE = "unwritable"
    REFUSED = "refused"
    FAULT = "fault"

    @property
    def said(self) -> Said:
        """The reason as a clause."""
        return _SAID[self]

    @classmethod
    def of(cls, text: object) -> "Reason | None":
        """The reason in a file, given by its value or by the sentence that 0.1 wrote; otherwise
        None.
        """
        if not isinstance(text, str):
            return None
        return _BY_SENTENCE.get(text) or (cls(text) if text in cls._value2member_map_ else None)


_SAID = {
    Reason.STOPPED_BY_HAND: Said("the run was stopped by hand", "人工停止"),
    Reason.HEARTBEATS_STOPPED: Said(
        "its heartbeats stopped: what it may have sent since its last message is lost",
        "心跳中断，自其最后一条消息以来可能已发出的请求记为 lost",
    ),
    Reason.HEARTBEATS_STOPPED_DROPPED: Said(
        "its heartbeats stopped: its requests that were not sent are dropped",
        "心跳中断，其未发出的请求记为 dropped",
    ),
    Reason.UNCALIBRATED: Said(
        "its calibration states no tokens: the seed's arithmetic sizes its prompts",
        "校准请求未给出 token 数，按原脚本的算法确定 prompt 长度",
    ),
    Reason.CLIMB_ENDED: Said("the stop rule ended its climb", "停止规则已终止其所在的阶梯"),
    Reason.MODEL_REFUSED: Said(
        "every request to its model was refused", "发往该模型的请求全部被拒绝"
    ),
    Reason.MODE_REFUSED: Said(
        "every request of its mode to its model was refused", "该模型在此模式下的请求全部被拒绝"
    ),
    Reason.BUDGET: Said("the budget is spent", "预算已用尽"),
    Reason.UNPRICED: Said(
        "the gateway states no usage, so the budget cannot be kept", "网关未给出费用，无法遵守预算"
    ),
    Reason.PAYMENT_REQUIRED: Said(
        "the gateway wants payment (HTTP 402)", "网关要求付费（HTTP 402）"
    ),
    Reason.DISK: Said("the records cannot be written", "无法写入记录文件"),
    Reason.UNWRITABLE: Said("the records cannot be written", "无法写入记录文件"),
    Reason.REFUSED: Said("all requests ended in the same refusal", "全部请求以同样的方式被拒绝"),
    Reason.FAULT: Said("a fault of the load generator", "压测程序自身出错"),
}
_BY_SENTENCE = {said.en: reason for reason, said in reversed(_SAID.items())}
