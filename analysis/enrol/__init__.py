"""References for mode identity, made from runs."""
