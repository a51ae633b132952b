"""The questions that are asked of a model: each has an answer of one word. Pure.

Some have many answers that are about as good (which ones a model prefers tells models and their
settings apart), others one that a model gives nearly always (what else comes tells that something
else answers now and then). Which is which for a model, enrolment finds out. None asks for a month,
a weekday or a season: chat templates and hidden prompts state the date, and it suggests them.
"""

from hashlib import sha256

OUTPUT_TOKENS, TEMPERATURE = 16, 1
ASK = "Reply with one word and nothing else."
_OPEN = (
    "Name a colour.", "Name an animal.", "Name a fruit.", "Name a city.", "Name a country.",
    "Name a river.", "Name a tree.", "Name a flower.", "Name a bird.", "Name a tool.",
    "Name a metal.", "Name a planet.", "Name an emotion.", "Name a profession.", "Name a spice.",
    "Name a musical instrument.", "Name a number from 1 to 100.", "Name a number from 1 to 10.",
    "Name a letter of the alphabet.", "Name a shape.", "Name a dance.", "Name a planet's moon.",
    "Name a gemstone.", "Name a fabric.", "Name a vegetable.", "Name a first name.",
    "Heads or tails?", "Name a word that rhymes with light.", "Complete: The old man opened the",
    "Complete: On the table lay a",
)  # fmt: skip
_CLOSED = (
    "What is the capital of Burkina Faso?", "What is the capital of Kyrgyzstan?",
    "What is the capital of Suriname?", "What is the capital of Bhutan?",
    "In which year did the Peace of Westphalia end the Thirty Years' War?",
    "In which year was the Treaty of Tordesillas signed?",
    "In which year did Constantinople fall to the Ottomans?",
    "In which year was the first transatlantic telegraph cable laid?",
    "What is the atomic number of tungsten?", "What is the atomic number of selenium?",
    "What is the chemical symbol of antimony?", "What is 17 times 23?", "What is 144 divided by 9?",
    "How many letters has the word bookkeeper?", "What is the Latin name of the genus of oaks?",
    "Who wrote The Master and Margarita? Surname.", "Who painted The Night Watch? Surname.",
    "Who composed The Planets? Surname.", "What is the currency of Mongolia?",
    "What is the currency of Peru?", "Which river flows through Budapest?",
    "Which sea lies between Italy and Croatia?", "What is the longest bone of the human body?",
    "Which gas do plants take up?", "What is the German word for bridge?",
    "What is the French word for scale?", "What is the plural of ox?",
    "Which planet has the moon Titan?", "How many strings has a cello?",
    "What is the square root of 1764?",
)  # fmt: skip
BANK: tuple[str, ...] = _OPEN + _CLOSED
"""The questions by their numbers. A change of any makes another protocol."""


def prompt(question: int, nonce: str) -> str:
    """A question as it is sent; `nonce`, at its start, keeps response caches from answering."""
    return f"{nonce}{ASK} {BANK[question]}"


def protocol() -> str:
    """What every request of this mode has in common, as one digest: other answers are not
    comparable."""
    text = "\n".join(["1", ASK, str(OUTPUT_TOKENS), str(TEMPERATURE), *BANK])
    return sha256(text.encode()).hexdigest()
