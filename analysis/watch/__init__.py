"""Runs of mode identity of many days, watched."""
