"""Two routes in one run: what does the gateway ("a") add to the reference ("b")? Pure statistics.

A pair is two rows of one phase and index, one per arm, with the same body and sent one after the
other. `verdict.judged` gives the results; a difference is always a - b, so above 0 the gateway
adds. Nothing here reads a file or knows Locust; `sentences` alone writes words.
"""
