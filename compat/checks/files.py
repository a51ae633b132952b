"""Files and batches: an upload can be read back, and a batch answers each of its lines.

They leave traces in an account (files are deleted again, a slow batch is cancelled), so they are
made only on request. The tokens of a batch appear in no reply's usage.
"""

import json
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from compat.bodies import chat, reply_exactly
from compat.check import BATCHES, CHAT, FILES, Ask, Bound, Check, Setting, bound_of
from compat.evidence import Evidence, answered, names_any, object_of, strict_json
from compat.verdict import Finding, Settled, Verdict, settle, unsure, works, wrong
from recording.bilingual import Bilingual
from recording.json_values import at, mapping, whole_number
from recording.untrusted_text import quoted

_FILES = ("files", "file", "purpose", "not found", "path", "url", "multipart", "文件")
_BATCHES = ("batches", "batch", "endpoint", "not found", "path", "url", "批")
_POLLS_S = (0.5, 1.0, 2.0, 4.0, 8.0, 8.0)
"""The pauses between looks at a batch. Some batches need hours; we do not wait for those."""
_OPEN = ("validating", "in_progress", "finalizing")
_STATUSES = (*_OPEN, "failed", "completed", "expired", "cancelling", "cancelled")
_LINES = 2
_OUTPUT_TOKENS = 24

Steps = Generator[Ask, Evidence, Finding]
"""A check whose requests each follow from the previous answers; it returns its finding."""


def _get(path: str, wait_s: float = 0.0) -> Ask:
    return Ask(None, path=path, method="GET", wait_s=wait_s)


def _upload(text: str) -> Ask:
    return Ask({"purpose": "batch"}, path=FILES, file=text, known_prompt_tokens=0)


def _delete(identity: str) -> Ask:
    return Ask(None, path=f"{FILES}/{identity}", method="DELETE")


def _id(evidence: Evidence, names: Sequence[str]) -> str:
    """The id that an answer gives. Raises Settled if it cannot be part of a path."""
    identity = object_of(evidence, names).get("id")
    if (
        not isinstance(identity, str)
        or not identity
        or not all(c.isalnum() or c in "-_.:" for c in identity)
    ):
        raise Settled(wrong(f"id is {quoted(identity, 40)}"))
    return identity


# ---- files


def _file_steps(setting: Setting) -> Steps:
    """Uploads a file, looks it up, reads it back, and deletes it whatever was found before."""
    text = json.dumps({"word": setting.word("file")}) + "\n"
    evidence = yield _upload(text)
    identity = _id(evidence, _FILES)
    finding = settle(partial(_described, evidence, identity, text))
    if finding.verdict is Verdict.WORKS:
        evidence = yield _get(f"{FILES}/{identity}")
        finding = replace(settle(partial(_described, evidence, identity, text)), seen_in=1)
    if finding.verdict is Verdict.WORKS:
        evidence = yield _get(f"{FILES}/{identity}/content")
        finding = replace(settle(partial(_same, evidence, text)), seen_in=2)
    evidence = yield _delete(identity)
    if finding.verdict is not Verdict.WORKS:
        return finding
    deletion = settle(partial(_deleted, evidence))
    return replace(deletion, seen_in=3)


def _described(evidence: Evidence, identity: str, text: str) -> Finding:
    described = object_of(evidence, _FILES)
    if described.get("id") != identity:
        return wrong(f"id is {quoted(described.get('id'), 40)}, not the one that was given")
    if described.get("object") != "file":
        return wrong(f"object is {quoted(described.get('object'), 40)}")
    size = whole_number(described.get("bytes"))
    return works() if size == len(text) else wrong(f"bytes is {size} for a file of {len(text)}")


def _same(evidence: Evidence, text: str) -> Finding:
    back = answered(evidence, _FILES).body.decode("utf-8", "replace")
    return works() if back == text else wrong(f"different content came back: {quoted(back, 60)}")


def _deleted(evidence: Evidence) -> Finding:
    deleted = object_of(evidence, (*_FILES, "delete", "method"))
    return (
        works()
        if deleted.get("deleted") is True
        else wrong("it was deleted, but the answer does not say so")
    )


# ---- batches


def _line(setting: Setting, place: int) -> Ask:
    return chat(setting, reply_exactly(setting.word("batch", place)), _OUTPUT_TOKENS)


def _custom_id(setting: Setting, place: int) -> str:
    return setting.word("custom", place).lower()


def _lines(setting: Setting) -> str:
    batch_lines = [
        {"custom_id": _custom_id(setting, place), "method": "POST", "url": f"/v1{CHAT}",
         "body": _line(setting, place).body}
        for place in range(_LINES)
    ]  # fmt: skip
    return "".join(json.dumps(line) + "\n" for line in batch_lines)


def _create(setting: Setting, file: str) -> Ask:
    """The request that creates the batch; its bound is what its lines use."""
    used = bound_of([_line(setting, place) for place in range(_LINES)])
    body = {"input_file_id": file, "endpoint": f"/v1{CHAT}", "completion_window": "24h"}
    return Ask(body, used.output_tokens, path=BATCHES, known_prompt_tokens=used.prompt_tokens)


def _batch_steps(setting: Setting) -> Steps:
    """Uploads the input, runs the batch, and deletes the upload."""
    file = _id((yield _upload(_lines(setting))), _FILES)
    try:
        finding = yield from _run(setting, file)
    except Settled as settled:
        finding = settled.finding
    yield _delete(file)
    return replace(finding, seen_in=1)


def _run(setting: Setting, file: str) -> Steps:
    """Creates a batch, polls it, and fetches its results, or cancels it if it takes too long.

    Raises Settled.
    """
    created = yield _create(setting, file)
    batch, state = _id(created, _BATCHES), _batch(created)
    for pause_s in _POLLS_S:
        if state["status"] not in _OPEN:
            break
        state = _batch((yield _get(f"{BATCHES}/{batch}", pause_s)))
    status = state["status"]
    if status in _OPEN:
        yield Ask({}, path=f"{BATCHES}/{batch}/cancel", known_prompt_tokens=0)
        return unsure(
            f"{status} after {sum(_POLLS_S):.0f} s, and cancelled: its results were not seen"
        )
    if status != "completed":
        errors = at(state, "errors.data")
        error = mapping(errors[0] if isinstance(errors, list) and errors else None)
        fact = f"the batch is {status}: {quoted(error.get('message'), 100) or 'no reason given'}"
        named = names_any(error, ("model", "endpoint", "url"))
        return Finding(Verdict.REFUSED, fact) if named else unsure(fact)
    output = state.get("output_file_id")
    if not isinstance(output, str) or not output:
        return wrong(f"completed, and output_file_id is {quoted(output, 40)}")
    results = yield _get(f"{FILES}/{output}/content")
    return _results(setting, answered(results, _BATCHES).body)


def _batch(evidence: Evidence) -> Mapping[str, Any]:
    """The batch that an answer describes. Raises Settled if it describes none."""
    batch = object_of(evidence, _BATCHES)
    if batch.get("object") != "batch" or batch.get("status") not in _STATUSES:
        batch_state = quoted(f"{batch.get('object')}, status {batch.get('status')}", 60)
        raise Settled(wrong(f"no batch with a known status, but {batch_state}"))
    return batch


def _results(setting: Setting, raw: bytes) -> Finding:
    """Whether each line of the input got its own answer, by its custom_id."""
    try:
        lines = [mapping(strict_json(line)) for line in raw.splitlines() if line.strip()]
    except ValueError:
        return wrong(f"results that are not JSONL: {quoted(raw[:60].decode('utf-8', 'replace'))}")
    by_id = {str(line.get("custom_id")): line for line in lines}
    words = [setting.word("batch", place) for place in range(_LINES)]
    for place, word in enumerate(words):
        line = by_id.get(_custom_id(setting, place))
        if line is None:
            return wrong(f"{len(lines)} results, and none for line {place + 1} of {_LINES}")
        status = whole_number(at(line, "response.status_code"))
        if status != 200:
            return unsure(f"line {place + 1} was answered with HTTP {status}")
        choices = at(line, "response.body.choices")
        message = mapping(mapping(choices[0] if isinstance(choices, list) and choices else {}))
        text = str(mapping(message.get("message")).get("content"))
        if any(other in text for other in words if other != word):
            return wrong(f"line {place + 1} has the answer to another line")
        if word not in text:
            return unsure(f"the reply is not the one asked for: {quoted(text, 60)}")
    return works()


# ---- as checks


def _replayed(
    steps: Callable[[Setting], Steps], setting: Setting, answers: Sequence[Evidence]
) -> Ask | Finding:
    """What comes after these answers: the next request, or the finding."""
    going = steps(setting)
    ask = next(going)
    try:
        for evidence in answers:
            ask = going.send(evidence)
    except StopIteration as over:
        finding: Finding = over.value
        return finding
    except Settled as settled:
        return settled.finding
    return ask


def _then(
    steps: Callable[[Setting], Steps], setting: Setting, answers: Sequence[Evidence]
) -> list[Ask]:
    finding = _replayed(steps, setting, answers)
    return [finding] if isinstance(finding, Ask) else []


def _judge(
    steps: Callable[[Setting], Steps], setting: Setting, answers: Sequence[Evidence]
) -> Finding:
    finding = _replayed(steps, setting, answers)
    return unsure("not all of it was sent") if isinstance(finding, Ask) else finding


def _check(
    name: str, title: Bilingual, steps: Callable[[Setting], Steps],
    more: Callable[[Setting], Bound], names: Sequence[str], **words: Any,
) -> Check:  # fmt: skip
    return Check(
        name, "files", title, title.en, lambda s: [next(steps(s))], partial(_judge, steps), names,
        then=partial(_then, steps), then_bound=more, surface="files", **words,
    )  # fmt: skip


CHECKS = (
    _check(
        "files.upload", Bilingual("file uploaded, read, deleted", "文件上传、读取、删除"),
        _file_steps, lambda s: Bound(3), _FILES, needs=(),
        if_wrong=Bilingual("what you upload is not what is kept", "保存的内容与上传的不一致"),
    ),
    _check(
        "batches.run", Bilingual("a batch of requests", "批处理"), _batch_steps,
        lambda s: bound_of([_create(s, "")]).plus(Bound(len(_POLLS_S) + 2)), _BATCHES,
        needs=("chat.plain", "files.upload"),
        if_wrong=Bilingual("results are lost, or belong to other lines: compare each custom_id",
                           "结果缺失或属于其他行：须逐个核对 custom_id"),
    ),
)  # fmt: skip
