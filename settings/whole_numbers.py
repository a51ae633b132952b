"""Options that are lists of whole numbers. Pure."""

from recording.errors import OperatorError

LARGEST = 10**9  # of a target or a step


def whole_numbers(name: str, text: str) -> tuple[int, ...]:
    """The numbers of option `name`, in order. Raises OperatorError unless all are whole and
    above 0.
    """
    try:
        numbers = tuple(int(part) for part in str(text).split(",") if part.strip())
    except ValueError:
        raise OperatorError(
            f"--{name} takes whole numbers separated by commas, not {text!r}."
        ) from None
    if any(number < 1 for number in numbers):
        raise OperatorError(f"--{name} must be above 0, not {text}.")
    if any(number > LARGEST for number in numbers):
        raise OperatorError(f"--{name} {text} is above {LARGEST}: give a smaller number.")
    return numbers
