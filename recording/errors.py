"""Operator errors: one tree, which any package may raise before a run.

The code that runs a command catches `OperatorError`, prints its message and exits with code 2.
"""


class OperatorError(Exception):
    """The operator made a mistake; the message is one sentence that says what to do. Nothing was
    sent.
    """


class MissingOption(OperatorError):
    """A mode cannot do without an option that is not given: `why`. What plans the mode adds an
    `example`, the words of a command line, for whoever gave one.
    """

    def __init__(self, why: str, example: str = "") -> None:
        super().__init__(f"{why} For example, give {example}." if example else why)
        self.why = why


class InputError(OperatorError, ValueError):
    """A file or a value cannot be used. The message says why; the caller that knows its name puts
    the name before it.
    """
