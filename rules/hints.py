"""Advice on failures whose cause is evident, in English and Chinese. Pure.

A hint is given only if the words or the status name the cause.
"""

import re
from typing import NamedTuple

from recording.outcome import Outcome
from recording.untrusted_text import quoted
from rules.refused_fields import refused_field
from rules.wanted_header import wanted_header


class Hint(NamedTuple):
    """One clause of advice, in both languages."""

    en: str
    zh: str


_MODEL = re.compile(r"model|deployment", re.IGNORECASE)
_MAY_WANT_A_HEADER = (Outcome.AUTH, Outcome.BAD_REQUEST, Outcome.NOT_FOUND)
_OPTIONS = {
    "max_tokens": "--output-budget-field max_completion_tokens",
    "max_completion_tokens": "--output-budget-field max_tokens",
    "task_id": "--task-id header",
    "taskId": "--task-id header",
    "metadata": "--task-id header",
    "stream_options": "--stream-usage off",
}


def hint(outcome: str, status: int | None, words: str) -> Hint | None:
    """Advice for requests with this outcome; `words` are the gateway's or ours."""
    if status == 407 or "407" in words and "proxy" in words.lower():
        return Hint(
            "the proxy requires a login: put it in the proxy's address, "
            "http://USER:PASSWORD@HOST:PORT",
            "代理要求登录：在代理地址中给出 http://USER:PASSWORD@HOST:PORT",
        )
    by_outcome = _BY_OUTCOME.get(outcome)
    if outcome in _MAY_WANT_A_HEADER and (header := wanted_header(words)):
        return _of_header(header)
    if outcome == Outcome.BAD_REQUEST and (field := refused_field(words)):
        return _of_field(field)
    if outcome == Outcome.NOT_FOUND and _MODEL.search(words):
        return Hint(
            "is the model's name right? GET /models lists what this key may use",
            "模型名是否正确？GET /models 会列出该密钥可用的模型",
        )
    if outcome == Outcome.AUTH and status == 403:
        return Hint(
            "the key is valid but may not do this: does it have access to this model?",
            "密钥有效但无此权限：它能否使用该模型？",
        )
    if outcome == Outcome.TLS and "CERTIFICATE_VERIFY_FAILED" not in words:
        return None
    return by_outcome


def _of_header(name: str) -> Hint:
    """For a gateway that accepts the key, but wants a tenant, a project, or a version."""
    option = f"--header '{quoted(name, 64)}=...'"
    return Hint(
        f"the gateway wants the header {quoted(name, 64)}: give it with {option}",
        f"网关要求请求头 {quoted(name, 64)}：请用 {option} 给出",
    )


def _of_field(field: str) -> Hint:
    name = quoted(field, 40)
    top = name.split(".")[0]
    option = _OPTIONS.get(top, f"--extra-body '{{\"{top}\": null}}'")
    return Hint(
        f"the gateway refuses the field {name}: turn it off with {option}",
        f"网关拒绝字段 {name}：可用 {option} 去掉",
    )


_BY_OUTCOME: dict[str, Hint] = {
    Outcome.AUTH: Hint("check the API key", "请检查 API 密钥"),
    Outcome.PAYMENT_REQUIRED: Hint("the account has no credit left", "账户余额不足"),
    Outcome.NOT_FOUND: Hint(
        "is the base URL right? Most end in /v1, and none ends in /chat/completions",
        "base URL 是否正确？通常以 /v1 结尾，不应以 /chat/completions 结尾",
    ),
    Outcome.REDIRECT: Hint(
        "redirects are never followed: use the address it redirects to as the base URL",
        "不会跟随重定向：请把重定向的目标作为 base URL",
    ),
    Outcome.CONNECTION_REFUSED: Hint(
        "nothing listens there: is the gateway up, and the port right?",
        "该地址没有服务监听：网关是否在运行，端口是否正确？",
    ),
    Outcome.DNS: Hint("is the gateway's host name right?", "网关主机名是否正确？"),
    Outcome.TLS: Hint(
        "if the gateway's certificate is from a private CA, give its bundle with --ca-file",
        "若网关证书由私有 CA 签发，请用 --ca-file 指定该 CA 的证书文件",
    ),
    Outcome.UNREACHABLE: Hint(
        "no route leads there: is the network, or the VPN, up?", "没有路由：网络或 VPN 是否可用？"
    ),
    Outcome.BUDGET_SPENT: Hint(
        "the model used its whole output budget for reasoning that it does not show: raise "
        "--max-tokens",
        "模型的输出全部用于不可见的思考：请提高 --max-tokens",
    ),
    Outcome.FILTERED: Hint(
        "a content filter blocked the prompt or the reply: change the prompt, or the filter's "
        "policy",
        "内容过滤拦截了 prompt 或应答：请更换提问内容或调整过滤策略",
    ),
    Outcome.REPLY_TOO_LARGE: Hint(
        "if such replies are expected, raise --max-reply-mb",
        "若预期有这样大的应答，请提高 --max-reply-mb",
    ),
    Outcome.INTERNAL_ERROR: Hint(
        "this is a fault in Weighbridge: the log has its traceback, please report it",
        "这是 Weighbridge 自身的缺陷：日志中有错误堆栈，请反馈给我们",
    ),
    Outcome.LOCAL_LIMIT: Hint(
        "this is a limit of this machine, not of the gateway: raise it, or use more machines",
        "这是压测机自身的限制，而非网关的：请提高该限制或使用更多机器",
    ),
}
