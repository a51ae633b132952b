"""How the tests of a run share its false alarms: at most 1 % in all. Pure.

Shares are added up (Bonferroni), whatever the tests have to do with each other; where a run asks
several models, each has its part of every share. Tests that no chance is in (repeated texts,
replies that came twice, text after a stop) need none.
"""

WHOLE = 0.01
"""An honest route is said to differ, by any test of any model, in at most so many runs."""
LOOKS: tuple[tuple[int, float], ...] = ((4, 0.0015), (12, 0.0020), (40, 0.0030))
"""Who answers: answers to each question up to a look, and the false alarms that it may raise."""
TEMPERATURE = 0.0010
SEED = 0.0005
CONTEXT = 0.0005
LOGPROBS = 0.0010
TOOLS = 0.0005


def of_each(share: float, models: int) -> float:
    """The part of a share that each of a run's models has."""
    return share / max(1, models)
