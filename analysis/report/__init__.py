"""The report of a run: its sections, verdicts and checks."""
