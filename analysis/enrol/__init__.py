"""References for mode identity, made of runs."""
