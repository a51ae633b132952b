"""Compares our sums with prices and with the gateway's own bill."""
