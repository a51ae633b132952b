"""The report's sections, one per file.

A file is a section if it has a `PLACE` and a function `section`; report.py finds it automatically.
Places have gaps, so that another section fits between two.
"""
