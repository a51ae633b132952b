"""A run's rows in other formats."""
