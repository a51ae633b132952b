"""The operator's own traffic: files of prompts and traces, read into lines to send."""
