"""How sure a typical difference is: signed-rank intervals of what neighbours may make alike. Pure.

The report judges with it, and a run that asks for a precision (`--precision-ms`) ends by it.
"""
