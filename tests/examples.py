"""The files that the modes' example command lines name (`Mode.example`)."""

from collections.abc import Sequence
from pathlib import Path

FILES = {
    "slo.toml": "success_rate = 0.9\n",
    "trace.jsonl": "".join(
        f'{{"at_s": {number * 0.11:.2f}, "prompt_tokens": {100 + 90 * number}, "max_tokens": 32}}\n'
        for number in range(60)
    ),
}


def with_files(example: Sequence[str], folder: Path) -> list[str]:
    """The words of an example, with the paths of files that were written to a folder."""
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [str(folder / word) if word in FILES else word for word in example]
