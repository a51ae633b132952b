"""Two routes in one run: what does the gateway ("a") add to the reference ("b")? Pure statistics.

A pair is two rows of one phase and index, one per arm, with the same body and sent one after the
other. `verdict.judged` gives the results. A difference is always a - b: above 0, the gateway adds.
Nothing here reads a file or knows Locust; only `sentences` and `findings` write words.
"""
