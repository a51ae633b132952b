"""The gateway's own log of requests, in whatever form it exports one: a small reader for each."""
