"""Why a run, a phase or a worker ended: a closed set, each in English and Chinese. Pure."""

from enum import StrEnum

from recording.bilingual import Bilingual


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
    def clause(self) -> Bilingual:
        """The reason as a clause."""
        return _CLAUSES[self]

    @classmethod
    def of(cls, text: object) -> "Reason | None":
        """The reason in a file, given by its value or by the sentence that 0.1 wrote; otherwise
        None.
        """
        if not isinstance(text, str):
            return None
        return _BY_SENTENCE.get(text) or (cls(text) if text in cls._value2member_map_ else None)


_CLAUSES = {
    Reason.STOPPED_BY_HAND: Bilingual("the run was stopped by hand", "人工停止"),
    Reason.HEARTBEATS_STOPPED: Bilingual(
        "its heartbeats stopped: what it may have sent since its last message is lost",
        "心跳中断，自其最后一条消息以来可能已发出的请求记为 lost",
    ),
    Reason.HEARTBEATS_STOPPED_DROPPED: Bilingual(
        "its heartbeats stopped: its requests that were not sent are dropped",
        "心跳中断，其未发出的请求记为 dropped",
    ),
    Reason.UNCALIBRATED: Bilingual(
        "its calibration states no tokens: the seed's arithmetic sizes its prompts",
        "校准请求未给出 token 数，按原脚本的算法确定 prompt 长度",
    ),
    Reason.CLIMB_ENDED: Bilingual("the stop rule ended its climb", "停止规则已结束该爬升"),
    Reason.MODEL_REFUSED: Bilingual(
        "every request to its model was refused", "发往该模型的请求全部被拒绝"
    ),
    Reason.MODE_REFUSED: Bilingual(
        "every request of its mode to its model was refused", "该模型在此模式下的请求全部被拒绝"
    ),
    Reason.BUDGET: Bilingual("the budget is spent", "预算已用尽"),
    Reason.UNPRICED: Bilingual(
        "the gateway states no usage, so the budget cannot be kept", "网关未给出费用，无法遵守预算"
    ),
    Reason.PAYMENT_REQUIRED: Bilingual(
        "the gateway wants payment (HTTP 402)", "网关要求付费（HTTP 402）"
    ),
    Reason.DISK: Bilingual("the records cannot be written", "无法写入记录文件"),
    Reason.UNWRITABLE: Bilingual("the records cannot be written", "无法写入记录文件"),
    Reason.REFUSED: Bilingual(
        "all requests ended in the same refusal", "全部请求以同样的方式被拒绝"
    ),
    Reason.FAULT: Bilingual("a fault of the load generator", "压测程序自身出错"),
}
_BY_SENTENCE = {clause.en: reason for reason, clause in reversed(_CLAUSES.items())}
