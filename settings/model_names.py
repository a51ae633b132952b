"""What the reference of `--against` calls our models. Pure."""

from recording.errors import OperatorError


def model_names(text: str) -> dict[str, str]:
    """What the reference calls each model of `--against-model`. Raises OperatorError."""
    names = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        ours, equals, theirs = (word.strip() for word in part.partition("="))
        if not (ours and equals and theirs):
            raise OperatorError(
                f"--against-model {part!r} is no OURS=THEIRS: write the model's name here, '=', "
                "and its name at the reference."
            )
        names[ours] = theirs
    return names
