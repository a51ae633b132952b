"""Finds the header that a gateway's refusal asks for: `X-Tenant header is required`. Pure.

It knows the wordings of gateways, API managers and frameworks, in English and Chinese. Headers that
carry the key are excluded: if one of those is missing, the key is missing.
"""

import re

LONGEST_CHARS = 4000
_NAME = r"""["'`“‘]?(?P<name>[A-Za-z][A-Za-z0-9_-]{1,63})["'`”’]?"""
_MISSING = (
    r"(?:required|missing|mandatory|needed|expected|absent|empty"
    r"|not\s+(?:set|found|present|provided|specified|sent|included|given)"
    r"|must\s+(?:not\s+be\s+(?:empty|blank)|be\s+(?:set|present|provided|specified|given|included|sent)))"
)
_BEFORE = (
    r"(?:missing|requires?|required|needs?|expect(?:s|ed)|provide|specify|include|without|send|set)"
)
_KIND = r"(?:(?:the|an?|required|mandatory|valid|following|http|request|custom)\s+)*"
_WANTS = [
    rf"{_NAME}\s+(?:http\s+|request\s+)?headers?\s+(?:(?:is|was)\s+)?{_MISSING}",
    rf"{_BEFORE}\s+{_KIND}headers?\s*(?:named|called)?\s*[:=]?\s*{_NAME}(?!\s*(?:is|was)?\s*not\b)",
    rf"headers?\s*:?\s+{_NAME}\s+(?:(?:is|was)\s+)?{_MISSING}",
    rf"{_BEFORE}\s+{_KIND}{_NAME}\s+(?:http\s+|request\s+)?headers?\b",
    rf"(?:缺少|缺失|需要|要求|必须(?:携带|提供|设置|包含)?|未(?:携带|提供|设置))(?:必需的|必填的|必要的)?\s*"
    rf"(?:HTTP\s*)?(?:请求头|头部|header)\s*[:：]?\s*{_NAME}",
    rf"(?:请求头|头部|header)\s*[:：]?\s*{_NAME}\s*(?:是)?(?:缺失|必填|必需|必须|不能为空|未提供|不存在)",
    rf"{_NAME}\s*(?:请求头|头部)\s*(?:是|为)?(?:缺失|必填|必需|必须|不能为空|未提供|不存在)",
]
_PATTERNS = [re.compile(pattern, re.IGNORECASE) for pattern in _WANTS]
_KEYS = frozenset({
    "authorization", "proxy-authorization", "x-api-key", "api-key", "apikey", "api_key",
    "x-goog-api-key",
    "ocp-apim-subscription-key", "bearer", "token", "key",
})  # fmt: skip
_NO_NAMES = frozenset(
    """a an the this that these your its request requests http https custom valid invalid following
    required missing mandatory auth authentication security some any all no one other more is was in
    of for with from to and or not be json response body value values name names""".split()  # noqa: SIM905
)


def wanted_header(words: str) -> str | None:
    """The header's name as written; None: no header is wanted, or it is not named."""
    text = words[:LONGEST_CHARS]
    for pattern in _PATTERNS:
        for match in pattern.finditer(text):
            name = match["name"]
            if name.casefold() not in _NO_NAMES | _KEYS:
                return name
    return None
