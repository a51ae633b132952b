"""What an operator got wrong: one tree of errors, which any package may raise before a run.

Whoever runs a command catches `OperatorError`, prints its sentence and ends with exit code 2.
"""


class OperatorError(Exception):
    """A mistake of the operator's, in one sentence that says what to do; nothing was sent."""


class InputError(OperatorError, ValueError):
    """A file or a value cannot be used. The message says why; whoever knows its name puts that
    before it."""
