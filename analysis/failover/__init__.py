"""What a gateway does when an upstream fails: a run beside the log of the simulator behind it."""
