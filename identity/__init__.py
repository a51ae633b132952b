"""Is it the model that was paid for? Questions, exact tests, references. Pure."""
