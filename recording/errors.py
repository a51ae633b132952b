"""What an operator got wrong: the one error that every room may raise before anything is sent."""


class OperatorError(Exception):
    """A mistake of the operator's, in one sentence that says what to do; nothing was sent."""
