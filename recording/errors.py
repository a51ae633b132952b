"""Operator errors: one tree, which any package may raise before a run.

The code that runs a command catches `OperatorError`, prints its message and exits with code 2.
"""


class OperatorError(Exception):
    """The operator made a mistake; the message is one sentence that says what to do. Nothing was
    sent.
    """


class MissingOption(OperatorError):
    """A mode cannot do without an option that is not given. What plans the mode adds an example."""


class InputError(OperatorError, ValueError):
    """A file or a value cannot be used. The message says why; the caller that knows its name puts
    the name before it.
    """
