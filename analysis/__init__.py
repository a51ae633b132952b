"""What the records say: load a run, summarize it, report it. Run it as `python -m analysis`."""
