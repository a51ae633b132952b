"""One file per probe: it builds the request and judges the answer.

`BUILDERS` says which requests (`Phase.request`) it builds; tasks/builders.py discovers it
automatically.
"""
