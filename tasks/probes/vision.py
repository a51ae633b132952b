"""Vision: an image with known text, and how much of the text comes back."""

import base64
import io
import json
import mimetypes
from difflib import SequenceMatcher
from functools import lru_cache
from pathlib import Path

from loadshapes.phase import Phase
from recording.errors import OperatorError
from settings.options import Options
from tasks.prompts import Judgement, Request
from tasks.reply import Message

TEXT = "WEIGHBRIDGE 4711 NET 23.5 t"
PASS_SHARE = 0.8
_PROMPT = "Read all text in this image and return it exactly."


def picture(text: str = TEXT) -> bytes:
    """A PNG that shows the text in large black letters on white; also its Description chunk."""
    from PIL import Image, ImageDraw, ImageFont, PngImagePlugin

    font = ImageFont.load_default(size=48)
    left, top, right, bottom = font.getbbox(text)
    image = Image.new("RGB", (int(right - left) + 64, int(bottom - top) + 64), "white")
    ImageDraw.Draw(image).text((32 - left, 32 - top), text, fill="black", font=font)
    described = PngImagePlugin.PngInfo()
    described.add_text("Description", text)
    out = io.BytesIO()
    image.save(out, "PNG", pnginfo=described)
    return out.getvalue()


@lru_cache(maxsize=4)
def data_url(path: str) -> str:
    """The image as a data URL: the generated picture, or the operator's file."""
    if not path:
        return "data:image/png;base64," + base64.b64encode(picture()).decode()
    kind = mimetypes.guess_type(path)[0] or ""
    if not kind.startswith("image/"):
        raise OperatorError(
            f"--image {path} is not named like an image: give a .png, .jpg, .webp or .gif."
        )
    try:
        raw = Path(path).read_bytes()
    except OSError as error:
        raise OperatorError(
            f"--image {path} cannot be read ({error.strerror}): give another file."
        ) from None
    return f"data:{kind};base64," + base64.b64encode(raw).decode()


def text_share(expected: str, reply: str) -> float:
    """The share of the expected characters that the reply holds, in order: 0 to 1.

    Letter case and white space are ignored; runs of fewer than three characters count as chance.
    """
    expected_chars, reply_chars = ("".join(text.casefold().split()) for text in (expected, reply))
    blocks = SequenceMatcher(
        None, expected_chars, reply_chars, autojunk=False
    ).get_matching_blocks()
    matched = sum(block.size for block in blocks if block.size >= min(3, len(expected_chars)))
    return matched / len(expected_chars) if expected_chars else 0.0


def build(phase: Phase, index: int, options: Options) -> Request:
    """The image and the question; the reply is judged if the image's text is known."""
    known = options.image_text if options.image else TEXT

    def judge(message: Message) -> Judgement:
        share = text_share(known, message.content or "")
        verdict = "pass" if share >= PASS_SHARE else "fail"
        return Judgement(verdict, json.dumps({"text_share": round(share, 4)}))

    return Request(
        [
            {"type": "text", "text": _PROMPT},
            {"type": "image_url", "image_url": {"url": data_url(options.image)}},
        ],
        judge=judge if known else None,
    )


BUILDERS = {"vision": build}
