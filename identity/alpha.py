"""How the tests of an audit share its false alarms: at most 1 % in all. Pure.

Shares are added up (Bonferroni), whatever the tests have to do with each other. Tests that no
chance is in (repeated texts, replies that came twice, text after a stop) need none.
"""

WHOLE = 0.01
"""An honest route is said to differ, by any test, in at most so many audits of a model."""
LOOKS: tuple[tuple[int, float], ...] = ((4, 0.0015), (12, 0.0020), (40, 0.0030))
"""Who answers: answers to each question up to a look, and the false alarms that it may raise."""
TEMPERATURE = 0.0010
SEED = 0.0005
CONTEXT = 0.0005
LOGPROBS = 0.0010
TOOLS = 0.0005
