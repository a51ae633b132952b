"""The outcome named by an error's own words, whatever its HTTP status. Pure."""

import re
from collections.abc import Iterable
from http import HTTPStatus

from recording.outcome import Outcome

_LOOKED_AT = 2000
CAUSES: dict[Outcome, str] = {
    Outcome.PAYMENT_REQUIRED: "insufficient_quota insufficient_user_quota insufficient_balance "
    "insufficientbalance insufficient_credits insufficient_credit insufficient_funds "
    "insufficient_account_balance credit_balance_too_low billing_hard_limit_reached "
    "billing_not_active payment_required budget_exceeded exceeded_current_quota_error arrearage "
    "accountoverdueerror account_overdue pre_consume_token_quota_failed quota_not_enough "
    "billing_error out_of_credits quota_exhausted quotaexhausted "
    "user_quota_exhausted token_quota_exhausted",
    Outcome.RATE_LIMITED: "rate_limit_exceeded rate_limit_error rate_limit_reached_error "
    "rate_limited ratelimitreached ratelimitexceeded rate_limit too_many_requests toomanyrequests "
    "throttlingexception throttling requests_rate_limit_exceeded tokens_rate_limit_exceeded "
    "resource_exhausted",
    Outcome.AUTH: "invalid_api_key authentication_error api_key_invalid unauthenticated "
    "incorrect_api_key invalidapikey invalid_authentication_error permission_denied",
    Outcome.NOT_FOUND: "model_not_found deploymentnotfound not_found_error model_not_exist "
    "resource_not_found_error",
    Outcome.FILTERED: "content_filter content_policy_violation responsibleaipolicyviolation "
    "data_inspection_failed datainspectionfailed content_filter_error moderation_blocked",
}
_BY_WORD = {word: outcome for outcome, words in CAUSES.items() for word in words.split()}
_NO_MONEY = re.compile(
    r"insufficient (?:account )?(?:balance|credits?|funds|quota)|credit balance is too low"
    r"|requires more credits|account balance is (?:insufficient|not enough)|out of credits"
    r"|\bquota_exhausted\b|pre-?consumed? (?:token )?quota failed"
    r"|余额(?:不足|(?:已)?(?:用尽|用完|耗尽))|欠费|额度(?:不足|(?:已)?(?:用尽|用完|耗尽))"
    r"|预扣费?额度失败",
    re.I,
)
_TOO_MANY = re.compile(
    r"rate[- ]?limit(?: is| was| has been)? (?:exceeded|reached|hit)\b"
    r"|\b(?:exceeded|reached|hit)(?: your| the| our)?(?: api| current)? rate[- ]?limit\b"
    r"|too many (?:concurrent )?requests(?! in )|concurrency limit (?:exceeded|reached)"
    r"|请求(?:过于|太|太过)频繁|请求过多|负载已饱和|(?:被|已|触发)限流"
    r"|(?:达到|超过|超出|触发).{0,8}(?:速率|频率|并发)|(?:速率|频率|并发)(?:数|量)?.{0,4}(?:超限|超出|超过)",
    re.I,
)
_NO_ENTRY = re.compile(
    r"\b(?:invalid|incorrect|missing|expired|no) (?:api[- ]?key|access token|subscription key"
    r"|auth(?:entication|orization)? (?:credentials?|token|header))\b"
    r"|api[- ]?key(?: is| was)? (?:not valid|invalid|missing|expired|required|not found)"
    r"|not authenticated|authentication (?:failed|required)|access denied due to invalid"
    r"|无权(?:访问|限)|未授权|鉴权失败|认证失败"
    r"|(?:令牌|密钥)(?:状态|验证|已)?.{0,2}(?<!数)(?:无效|过期|不可用|禁用|失败)"
    r"|(?:无效|未提供)的?.{0,4}(?:令牌|密钥)(?!数|长|上限)",
    re.I,
)
_NOT_THERE = re.compile(
    r"\bmodel\b.{0,80}(?:not found|not exist)|no route matched|模型.{0,30}不存在", re.I
)
_AS_WORD = re.compile(r"[- ]")
_PHRASES = {
    status.phrase.lower(): status.value
    for status in HTTPStatus
    if status >= 400 and (" " in status.phrase or status in (401, 403))  # "Gone" may be any word
}


_CODE = re.compile(r"\b(?:error code|status[ _]?code):?=? ?([45][0-9]{2})\b", re.I)


def status_in_words(message: str) -> int | None:
    """The HTTP status that a message names.

    It is only the status's name ("Too Many Requests"), or it quotes an error raised by the
    gateway's own client ("Error code: 429 - {...}", the OpenAI SDK's).
    """
    named = _PHRASES.get(message[:60].strip(" .!").lower())
    if named is None and (match := _CODE.search(message[:_LOOKED_AT])):
        return int(match[1])
    return named


def refusal_in_words(message: str, status: int | None) -> Outcome | None:
    """The outcome of a message that refuses the key (or, under 2xx, the model), if the status does
    not say so.

    Not under 5xx, where it may be about the key of one of the gateway's own providers.
    """
    excerpt = message[:_LOOKED_AT]
    if status is not None and status >= 300 and status != 400:
        return None
    if _NO_ENTRY.search(excerpt):
        return Outcome.AUTH
    is_error = status is not None and status >= 300
    return Outcome.NOT_FOUND if not is_error and _NOT_THERE.search(excerpt) else None


def cause(words: Iterable[str], message: str, wait_s: float | None = None) -> Outcome | None:
    """The outcome that an error's type, code or reason names, e.g. `insufficient_quota`.

    Types and codes come before the message. A message can say that there is no money, unless the
    gateway says how long to wait (then waiting helps), or that there are too many requests. If
    there are several, money comes first, because no status expresses it.
    """
    causes = [_BY_WORD.get(_AS_WORD.sub("_", word.strip().lower())) for word in words]
    excerpt = message[:_LOOKED_AT]
    if Outcome.PAYMENT_REQUIRED in causes or wait_s is None and _NO_MONEY.search(excerpt):
        return Outcome.PAYMENT_REQUIRED
    named = next((outcome for outcome in causes if outcome is not None), None)
    if named is None and _TOO_MANY.search(excerpt):
        return Outcome.RATE_LIMITED
    return named
