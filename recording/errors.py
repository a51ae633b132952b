"""What an operator got wrong: the one error that any package may raise before a run."""


class OperatorError(Exception):
    """A mistake of the operator's, in one sentence that says what to do; nothing was sent."""
