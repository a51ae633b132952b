"""One file a probe: it builds the request and judges the answer."""
