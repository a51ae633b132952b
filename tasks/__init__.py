"""A single request: the SDK client, the measured exchange, the prompts and the probes."""
