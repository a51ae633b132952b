"""Pictures and files: whether they arrive, judged by the reply and by the prompt's tokens."""

from collections.abc import Sequence

from compat.bodies import chat, say
from compat.check import Ask, Body, Check, Setting
from compat.evidence import Evidence
from compat.picture import data_url, pdf, png
from compat.reply import reply
from compat.verdict import Finding, Settled, ignored, unsure, works
from recording.bilingual import Bilingual
from recording.untrusted_text import quoted

_LEAST_GROWTH_TOKENS = 8
_IMAGE_TOKENS, _FILE_TOKENS = 1600, 800


def _asks(setting: Setting, question: str, part: Body, tokens: int) -> list[Ask]:
    """The question with the part and, as a control, without it."""
    text = {"type": "text", "text": question}
    return [
        chat(setting, [say("user", [text, part])], 32, media_tokens=tokens),
        chat(setting, [say("user", [text])], 32),
    ]


def _image_asks(setting: Setting) -> list[Ask]:
    url = data_url("image/png", png(setting.digits("image")))
    prompt = f"{setting.word('image')}: which number is drawn? Answer in digits."
    return _asks(setting, prompt, {"type": "image_url", "image_url": {"url": url}}, _IMAGE_TOKENS)


def _file_asks(setting: Setting) -> list[Ask]:
    url = data_url("application/pdf", pdf(f"code {setting.word('pdf')}"))
    prompt = f"{setting.word('file')}: which code does the file hold? Answer in one line."
    part = {"type": "file", "file": {"filename": "note.pdf", "file_data": url}}
    return _asks(setting, prompt, part, _FILE_TOKENS)


def _judge(word: str, names: Sequence[str], answers: Sequence[Evidence]) -> Finding:
    answer = reply(answers[0], names)
    if word in answer.only.content.replace(" ", "").replace(",", ""):
        return works()
    fact = f"not read: {quoted(answer.only.content, 80)}"
    try:
        without = reply(answers[1], ()).prompt_tokens
    except Settled:
        return unsure(f"{fact}; the control failed")
    count = answer.prompt_tokens
    if count is None or without is None:
        return unsure(fact)
    fact = f"{count} prompt tokens with it, {without} without; {fact}"
    # The part's markup may count a few tokens even if its content was dropped.
    return ignored(fact) if count - without < _LEAST_GROWTH_TOKENS else unsure(fact)


def _judge_image(setting: Setting, answers: Sequence[Evidence]) -> Finding:
    return _judge(setting.digits("image"), _IMAGE_NAMES, answers)


def _judge_file(setting: Setting, answers: Sequence[Evidence]) -> Finding:
    return _judge(setting.word("pdf"), _FILE_NAMES, answers)


_IMAGE_NAMES = ("image", "vision", "multimodal", "multi-modal", "content", "messages", "图")
_FILE_NAMES = ("file", "pdf", "document", "content", "messages", "文件")
CHECKS = (
    Check(
        "image.data", "media", Bilingual("image as a data URL", "图片（data URL）"),
        "an image_url part",
        _image_asks, _judge_image, _IMAGE_NAMES,
        if_ignored=Bilingual("the picture is dropped: the model answers without having seen it",
                             "图片被丢弃：模型没看到图片就作答"),
    ),
    Check(
        "file.pdf", "media", Bilingual("PDF file", "PDF 文件"), "a file part",
        _file_asks, _judge_file, _FILE_NAMES,
        if_ignored=Bilingual("the file is dropped: the model answers without having read it",
                             "文件被丢弃：模型没读文件就作答"),
    ),
)  # fmt: skip
