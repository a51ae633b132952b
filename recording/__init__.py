"""The record of each request, and the files it is written to."""
