"""Whether the features of the API work: the cells of a run of mode compat."""
