"""What one request is: the SDK client, the measured exchange, the prompts and the probes."""
