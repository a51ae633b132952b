"""Our sums held against prices and against the gateway's own bill."""
