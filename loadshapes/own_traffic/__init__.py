"""Traffic of the operator's own: files of prompts and traces, read into lines to send."""
