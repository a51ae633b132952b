"""A run while it is live: start form, live numbers, charts, downloads; Prometheus metrics."""
