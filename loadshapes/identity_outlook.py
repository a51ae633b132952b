"""What a run of mode identity may use, stated before it is sent: a clause for each test. Pure."""

from identity import bound, context, first_token
from identity.alpha import LOOKS
from identity.bound import Bound
from identity.looks import ANSWERS
from identity.reference import Reference
from rules.prices import Prices
from settings.options import Options


def outlook(options: Options, model: str, known: Reference | None, prices: Prices | None) -> str:
    """What a model may use: bounds, not estimates."""
    price = prices.of(model) if prices else None
    unit = f" {prices.currency}" if prices and prices.currency else ""

    def text_of(most: Bound) -> str:
        tokens = most.prompt_tokens + most.output_tokens
        text = f"{most.requests} requests and at most {tokens:,} tokens"
        return text + (f" and {price.most_of(*most):.6g}{unit}" if price else "")

    clauses = [f"{model}: who counts, {text_of(bound.counting())}"]
    if not options.enrol:
        clauses.append(
            f"whether settings are honoured, at most {text_of(bound.settings(known is not None))}"
        )
    if options.enrol:
        clauses.append(f"a reference, {text_of(bound.enrolment(ANSWERS))}")
    if known is not None:
        if known.logprobs is not None:
            clauses.append(f"log-probabilities, {text_of(bound.likeliest(1))}")
        if known.seed is not None:
            clauses.append(f"whether a seed is, {text_of(bound.seeds())}")
        first, full_length = bound.audit(cell.question for cell in known.cells)
        clauses.append(
            f"who answers, {text_of(first)} where it differs at once, else {text_of(full_length)}"
        )
    if options.against:
        tops = len(first_token.TOPS)
        clauses.append(f"who counts there, {text_of(bound.plain_counting())}")
        clauses.append(f"choosing questions there, {text_of(bound.choosing())}")
        clauses.append(f"log-probabilities, on each route at most {text_of(bound.likeliest(tops))}")
        clauses.append(
            f"whether a seed is honoured, on each route at most {text_of(bound.seeds())}"
        )
        first, full_length = bound.dearest(LOOKS[0][0]), bound.dearest(LOOKS[-1][0])
        clauses.append(
            f"who answers, on each route at most {text_of(first)} where it differs at once, else "
            f"at most {text_of(full_length)}"
        )
    if options.identity_tools:
        clauses.append(f"tool calls, on each route {text_of(bound.calls())}")
    if sizes := context.sizes(options.identity_context):
        clauses.append(f"context length, at most {text_of(bound.lengths(sizes))}")
    if options.identity_output:
        where = ", on each route at most" if options.against else ", at most"
        clauses.append(
            f"long replies{where} {text_of(bound.long_replies(options.identity_output))}"
        )
    return "; ".join(clauses)
