"""Runs a plan: sessions, nodes, generators, budget and stops."""
