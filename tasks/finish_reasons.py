"""The meaning of finish reasons in every dialect: finished, cut, filtered, or failed. Pure.

Sources: OpenAI's API reference; OpenRouter (`error`), vLLM and SGLang (`abort`, `error`), Mistral
(`model_length`, `error`), DeepSeek (`insufficient_system_resource`), Z.ai (`sensitive`,
`network_error`), Cohere (`COMPLETE`, `ERROR`, `ERROR_TOXIC`), TGI (`eos_token`), Anthropic
(`end_turn`, `refusal`), Bedrock (`guardrail_intervened`), Google's enum FinishReason. What Google
calls OTHER is documented as "all other reasons" or "unknown": it does not mean a failure, so it is
treated as an unknown reason and flagged. Gateways invent reasons of several words
(`upstream_timeout`, `abort: oom`): a single word of failure makes it a failure.
"""

import re
from functools import lru_cache
from typing import Literal

End = Literal["finished", "cut", "tools", "filtered", "failed"]

WORDS: dict[End, str] = {
    "finished": "stop stopped stop_sequence stop_token end_turn end "
    "end_of_text pause_turn complete completed finish finished",
    "cut": "length max_tokens max_new_tokens length_limit max_output_tokens max_length "
    "model_length token_limit max_completion_tokens "
    "model_context_window_exceeded context_length_exceeded",
    "tools": "tool_calls tool_call tool_use function_call",
    "filtered": "content_filter content_filtered contentfilter safety image_safety recitation "
    "image_recitation blocklist prohibited_content image_prohibited_content spii model_armor "
    "jailbreak sensitive moderation refusal guardrail guardrail_intervened blocked error_toxic "
    "policy_violation content_policy_violation",
    "failed": "abort aborted error errored err exception failed failure fail cancelled canceled "
    "cancel user_cancel interrupted interrupt timeout timed_out time_out deadline_exceeded "
    "engine_error internal_error server_error system_error model_error upstream_error "
    "provider_error generation_error network_error connection_error worker_error error_limit "
    "error_finish insufficient_system_resource out_of_memory oom preempted killed overloaded "
    "malformed_function_call malformed_tool_call unexpected_tool_call too_many_tool_calls "
    "malformed_response missing_thought_signature client_disconnect disconnected",
}
_ENDS: dict[str, End] = {word: end for end, words in WORDS.items() for word in words.split()}
_FAILURES = (
    "error errors errored exception abort aborted cancel canceled cancelled cancellation timeout "
    "failed failure fault interrupted interruption crash crashed killed oom overloaded unavailable "
    "disconnect disconnected"
)
_FAILS = frozenset(_FAILURES.split())
"""Words that mean a failure anywhere in a reason of several words."""
_NONE_OF_IT = frozenset(("no", "not", "non", "none", "without"))
_LONGEST = 64
_OTHER = re.compile(r"[^a-z]+")
_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")


def end_of(reason: str) -> End | None:
    """The meaning of a finish reason; None: unknown."""
    return _end_of(reason) if len(reason) <= _LONGEST else None


@lru_cache(maxsize=256)  # the same word in every reply; a gateway may invent others
def _end_of(reason: str) -> End | None:
    word = _CAPITAL.sub("_", reason.strip()).lower().replace("-", "_").replace(" ", "_")
    word = word.removeprefix("finish_reason_")
    known = _ENDS.get(word)
    if known is None:
        parts = set(_OTHER.split(word))
        if parts & _FAILS and not parts & _NONE_OF_IT:
            return "failed"
    return known
