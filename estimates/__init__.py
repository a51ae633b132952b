"""How sure a typical difference is: signed-rank intervals for correlated pairs. Pure.

The report judges by them, and a run with `--precision-ms` ends when they are narrow enough.
"""
