"""The numbers of a run, from its rows."""
