"""How a plan is run: sessions, nodes, generators, budget and stops."""
