"""Runs side by side: two of a kind compared, and many over time."""
