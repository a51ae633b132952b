"""The report's sections, a file each.

A file with a `PLACE` and a function `section` is one: report.py finds it by itself. Places leave
room between.
"""
