"""The article's models, used if --model is not given. Pure."""

CHEAP = ("gpt-5.4-nano", "gemini-3-flash-preview")
DEAR = "claude-sonnet-4.6"
