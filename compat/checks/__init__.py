"""The checks, by group. Each file ends with its `CHECKS`, in the order of the report."""
