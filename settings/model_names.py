"""The names of our models at the reference of `--against`. Pure."""

from recording.errors import OperatorError


def model_names(text: str) -> dict[str, str]:
    """The name of each model of `--against-model` at the reference. Raises OperatorError."""
    names = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        ours, equals, theirs = (word.strip() for word in part.partition("="))
        if not (ours and equals and theirs):
            raise OperatorError(
                f"--against-model {part!r} is not OURS=THEIRS: write the model's name here, '=', "
                "and its name at the reference."
            )
        names[ours] = theirs
    return names
