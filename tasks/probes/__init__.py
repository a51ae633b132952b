"""One file per probe: it builds the request and judges the answer."""
