"""The repeated texts of mode identity, which distinguish tokenizers. Pure.

Repeated on lines of its own, a text adds the same number of tokens each time in any tokenizer.
"""

QUESTION = "Reply with one word: yes. Ignore the lines below."
TEXTS = (
    "清晨的船队缓缓驶过长江大桥，岸上的人们挥手告别。",
    "नदी के किनारे बैठा बूढ़ा आदमी रोज़ सुबह नावों को गिनता है।",
    "ชายชรานั่งริมแม่น้ำและนับเรือทุกเช้า",
)
"""Han, Hindi, Thai: every two of the tokenizers of identity/tokenizers.py differ by five tokens a
repeat or more in one of them."""
REPEATS, ROUNDS = (2, 6), 2
COUNTED = tuple((text, k) for _ in range(ROUNDS) for text in range(len(TEXTS)) for k in REPEATS)
"""Text and repeats of each request, round by round: a counter counts both rounds alike."""
STREAMED = ((0, 2), (0, 6))
"""Those that are asked for as streams too."""


def prompt(text: int, k: int) -> str:
    """The question, then the text on `k` lines."""
    return "\n".join([QUESTION, *[TEXTS[text]] * k])
