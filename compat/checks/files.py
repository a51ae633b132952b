"""Files and batches: what is uploaded comes back, and a batch answers each of its lines.

They leave traces in an account (files are deleted again, a batch that takes long is cancelled), so
they are made only where they are asked for. A batch's tokens stand in no reply's usage.
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
from compat.words import Words
from recording.json_values import at, mapping, whole
from recording.untrusted_text import quoted

_FILES = ("files", "file", "purpose", "not found", "path", "url", "multipart", "文件")
_BATCHES = ("batches", "batch", "endpoint", "not found", "path", "url", "批")
_POLLS_S = (0.5, 1.0, 2.0, 4.0, 8.0, 8.0)
"""The pauses before a batch is looked at. Some need hours, but nobody waits for those here."""
_OPEN = ("validating", "in_progress", "finalizing")
_STATUSES = (*_OPEN, "failed", "completed", "expired", "cancelling", "cancelled")
_LINES = 2
_OUTPUT_TOKENS = 24

Steps = Generator[Ask, Evidence, Finding]
"""A check whose every request follows from the answers before it; it returns its finding."""


def _get(path: str, wait_s: float = 0.0) -> Ask:
    return Ask(None, path=path, method="GET", wait_s=wait_s)


def _upload(text: str) -> Ask:
    return Ask({"purpose": "batch"}, path=FILES, file=text, known_prompt_tokens=0)


def _delete(identity: str) -> Ask:
    return Ask(None, path=f"{FILES}/{identity}", method="DELETE")


def _id(evidence: Evidence, names: Sequence[str]) -> str:
    """The id that an answer gives. Raises Settled where it is none that a path can hold."""
    told = object_of(evidence, names).get("id")
    if not isinstance(told, str) or not told or not all(c.isalnum() or c in "-_.:" for c in told):
        raise Settled(wrong(f"id is {quoted(told, 40)}"))
    return told


# ---- files


def _file_steps(setting: Setting) -> Steps:
    """Upload, look it up, read it back, delete: deleted whatever was found before."""
    text = json.dumps({"word": setting.word("file")}) + "\n"
    told = yield _upload(text)
    identity = _id(told, _FILES)
    found = settle(partial(_described, told, identity, text))
    if found.verdict is Verdict.WORKS:
        told = yield _get(f"{FILES}/{identity}")
        found = replace(settle(partial(_described, told, identity, text)), seen_in=1)
    if found.verdict is Verdict.WORKS:
        told = yield _get(f"{FILES}/{identity}/content")
        found = replace(settle(partial(_same, told, text)), seen_in=2)
    told = yield _delete(identity)
    if found.verdict is not Verdict.WORKS:
        return found
    gone = settle(partial(_deleted, told))
    return replace(gone, seen_in=3)


def _described(evidence: Evidence, identity: str, text: str) -> Finding:
    told = object_of(evidence, _FILES)
    if told.get("id") != identity:
        return wrong(f"id is {quoted(told.get('id'), 40)}, and not the one that was given")
    if told.get("object") != "file":
        return wrong(f"object is {quoted(told.get('object'), 40)}")
    size = whole(told.get("bytes"))
    return works() if size == len(text) else wrong(f"bytes is {size}, of a file of {len(text)}")


def _same(evidence: Evidence, text: str) -> Finding:
    back = answered(evidence, _FILES).body.decode("utf-8", "replace")
    return works() if back == text else wrong(f"another content came back: {quoted(back, 60)}")


def _deleted(evidence: Evidence) -> Finding:
    told = object_of(evidence, (*_FILES, "delete", "method"))
    return works() if told.get("deleted") is True else wrong("it is deleted, and that is not said")


# ---- batches


def _line(setting: Setting, place: int) -> Ask:
    return chat(setting, reply_exactly(setting.word("batch", place)), _OUTPUT_TOKENS)


def _custom_id(setting: Setting, place: int) -> str:
    return setting.word("custom", place).lower()


def _lines(setting: Setting) -> str:
    told = [
        {"custom_id": _custom_id(setting, place), "method": "POST", "url": f"/v1{CHAT}",
         "body": _line(setting, place).body}
        for place in range(_LINES)
    ]  # fmt: skip
    return "".join(json.dumps(line) + "\n" for line in told)


def _create(setting: Setting, file: str) -> Ask:
    """The batch's own request: it stands for what its lines use."""
    used = bound_of([_line(setting, place) for place in range(_LINES)])
    body = {"input_file_id": file, "endpoint": f"/v1{CHAT}", "completion_window": "24h"}
    return Ask(body, used.output_tokens, path=BATCHES, known_prompt_tokens=used.prompt_tokens)


def _batch_steps(setting: Setting) -> Steps:
    """Upload, run the batch, delete the upload again."""
    file = _id((yield _upload(_lines(setting))), _FILES)
    try:
        found = yield from _run(setting, file)
    except Settled as settled:
        found = settled.finding
    yield _delete(file)
    return replace(found, seen_in=1)


def _run(setting: Setting, file: str) -> Steps:
    """Create, look until it is over or long enough, fetch the results or cancel. Raises Settled."""
    made = yield _create(setting, file)
    batch, told = _id(made, _BATCHES), _batch(made)
    for pause_s in _POLLS_S:
        if told["status"] not in _OPEN:
            break
        told = _batch((yield _get(f"{BATCHES}/{batch}", pause_s)))
    status = told["status"]
    if status in _OPEN:
        yield Ask({}, path=f"{BATCHES}/{batch}/cancel", known_prompt_tokens=0)
        return unsure(
            f"{status} after {sum(_POLLS_S):.0f} s, and cancelled: its results were not seen"
        )
    if status != "completed":
        errors = at(told, "errors.data")
        error = mapping(errors[0] if isinstance(errors, list) and errors else None)
        fact = f"the batch is {status}: {quoted(error.get('message'), 100) or 'no reason given'}"
        named = names_any(error, ("model", "endpoint", "url"))
        return Finding(Verdict.REFUSED, fact) if named else unsure(fact)
    output = told.get("output_file_id")
    if not isinstance(output, str) or not output:
        return wrong(f"completed, and output_file_id is {quoted(output, 40)}")
    results = yield _get(f"{FILES}/{output}/content")
    return _results(setting, answered(results, _BATCHES).body)


def _batch(evidence: Evidence) -> Mapping[str, Any]:
    """A batch as an answer tells it. Raises Settled where that is none."""
    told = object_of(evidence, _BATCHES)
    if told.get("object") != "batch" or told.get("status") not in _STATUSES:
        shown = quoted(f"{told.get('object')}, status {told.get('status')}", 60)
        raise Settled(wrong(f"no batch with a known status, but {shown}"))
    return told


def _results(setting: Setting, raw: bytes) -> Finding:
    """Whether each line of the input has its own answer, by its custom_id."""
    try:
        lines = [mapping(strict_json(line)) for line in raw.splitlines() if line.strip()]
    except ValueError:
        return wrong(f"results that are no JSONL: {quoted(raw[:60].decode('utf-8', 'replace'))}")
    by_id = {str(line.get("custom_id")): line for line in lines}
    words = [setting.word("batch", place) for place in range(_LINES)]
    for place, word in enumerate(words):
        line = by_id.get(_custom_id(setting, place))
        if line is None:
            return wrong(f"{len(lines)} results, and none for line {place + 1} of {_LINES}")
        status = whole(at(line, "response.status_code"))
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
    steps: Callable[[Setting], Steps], setting: Setting, seen: Sequence[Evidence]
) -> Ask | Finding:
    """What is next after these answers: a request, or what was found."""
    going = steps(setting)
    ask = next(going)
    try:
        for evidence in seen:
            ask = going.send(evidence)
    except StopIteration as over:
        found: Finding = over.value
        return found
    except Settled as settled:
        return settled.finding
    return ask


def _then(
    steps: Callable[[Setting], Steps], setting: Setting, seen: Sequence[Evidence]
) -> list[Ask]:
    found = _replayed(steps, setting, seen)
    return [found] if isinstance(found, Ask) else []


def _judge(
    steps: Callable[[Setting], Steps], setting: Setting, seen: Sequence[Evidence]
) -> Finding:
    found = _replayed(steps, setting, seen)
    return unsure("not all of it was sent") if isinstance(found, Ask) else found


def _check(
    name: str, title: Words, steps: Callable[[Setting], Steps], more: Callable[[Setting], Bound],
    names: Sequence[str], **words: Any,
) -> Check:  # fmt: skip
    return Check(
        name, "files", title, title.en, lambda s: [next(steps(s))], partial(_judge, steps), names,
        then=partial(_then, steps), then_bound=more, surface="files", **words,
    )  # fmt: skip


CHECKS = (
    _check(
        "files.upload", Words("file uploaded, read, deleted", "文件上传、读取、删除"), _file_steps,
        lambda s: Bound(3), _FILES, needs=(),
        if_wrong=Words("what you upload is not what is kept", "保存的内容与上传的不一致"),
    ),
    _check(
        "batches.run", Words("a batch of requests", "批处理"), _batch_steps,
        lambda s: bound_of([_create(s, "")]).plus(Bound(len(_POLLS_S) + 2)), _BATCHES,
        needs=("chat.plain", "files.upload"),
        if_wrong=Words("results are lost, or belong to other lines: compare each custom_id",
                       "结果缺失或属于其他行：须逐个核对 custom_id"),
    ),
)  # fmt: skip
