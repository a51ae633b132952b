"""An OpenAI-compatible LLM gateway with known truth, for judging a load generator.

It runs in a process of its own (`python -m simulator`), imports nothing from the rest of the
project, and writes down what it really did, request by request (`simulator.ledger`).

One request's way through the simulator::

    wire            the ASGI connection, with the time of every byte
    gateway         routes; a row for each request to a model
    state           what requests share: keys, models, limits, caches, traffic, dice
    chat            one request: limits, in-flight bound, its fault, its charge
    endpoints       chat completions, responses: how each is read and written; embed is by itself
    chat_request    the body, checked            -> ChatRequest
    features        those that do not work: ignored, refused, wrong, broken
    answer          what the model replies       -> Answer  (choice, tools, cache, prices)
    latency         when it does
    dialects        Answer -> JSON, SSE chunks and headers, as different gateways write them
    faults          the ways in which all this can go wrong
    ledger          one CSV row
"""
