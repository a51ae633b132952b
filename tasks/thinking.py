"""Separates reasoning that raw models write inside the content, between tags at its start. Pure.

`<think>` of DeepSeek R1, Qwen and most that follow them; `[THINK]` of Mistral's Magistral;
`<seed:think>` of ByteDance's Seed; `<thought>`, `<thinking>` and `<reasoning>` of others. Chat
templates that end with the opening tag (DeepSeek R1's) leave only the closing one in the reply.
"""

TAGS = {
    "<think>": "</think>",
    "<thinking>": "</thinking>",
    "<thought>": "</thought>",
    "<reasoning>": "</reasoning>",
    "[THINK]": "[/THINK]",
    "<seed:think>": "</seed:think>",
}
_LONE = "</think>"


def split(text: str) -> tuple[str | None, str]:
    """The reasoning at the start of a reply, and the rest; None: there is none.

    Reasoning without a closing tag extends to the end. The rest is the end of `text`, without
    leading blanks.
    """
    begun = text.lstrip()
    for tag, closing in TAGS.items():
        if begun.startswith(tag):
            thought, _, rest = begun[len(tag) :].partition(closing)
            return thought.strip(), rest.lstrip()
    thought, closed, rest = text.partition(_LONE)
    # Its own line, so that a text about such tags is not taken for one.
    if closed and (not thought or thought.endswith("\n")) and (not rest or rest[0] in "\r\n"):
        return thought.strip(), rest.lstrip()
    return None, text
