"""An OpenAI-compatible LLM gateway with known truth, for testing a load generator.

It runs in a process of its own (`python -m simulator`), imports nothing from the rest of the
project, and records what it really did, request by request (`simulator.ledger`).

The path of one request through the simulator::

    wire            the ASGI connection, with the time of every byte
    gateway         routes; one row per request to a model
    state           what requests share: keys, models, limits, caches, traffic, dice
    chat            one request: limits, in-flight bound, its fault, its charge
    endpoints       chat completions, responses: how each is read and written; embed stands apart
    chat_request    the body, checked            -> ChatRequest
    features        features that do not work: ignored, refused, wrong, broken
    answer          what the model replies       -> Answer  (choice, tools, cache, prices)
    latency         when it replies
    dialects        Answer -> JSON, SSE chunks and headers, as different gateways write them
    faults          the ways in which all of this can go wrong
    ledger          one CSV row
"""
