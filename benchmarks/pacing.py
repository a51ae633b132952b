"""How close a token window comes to its target, by the pacer and the simulator's latencies alone.

    python -m benchmarks.pacing [--windows 40]

There is no network and no clock: requests are due on the window's grid, sized by
`loadshapes.token_pacing.Pacer` and answered after a latency drawn by `simulator.latency`. The
remaining error is what no sizing can know: when the last answer comes.
"""

import argparse
import statistics
from heapq import heapify, heappop, heappush
from random import Random

from loadshapes.phase import tpm_count
from loadshapes.token_pacing import Pace, Pacer
from simulator.latency import Traffic, first_token_s, token_s
from simulator.profile import load

MODELS = ("gpt-5.4-nano", "gpt-5.4-mini", "gemini-3-flash-preview", "claude-sonnet-4.6")
TARGETS = (50_000, 100_000, 1_000_000)
WINDOW_S, LEAD_S, PROMPT_TOKENS = 60.0, 0.25, 4000
OVERHEAD_TOKENS, REPLY_TOKENS = 12, 9
SIZED, SENT, ANSWERED = range(3)


def error(name: str, target: int, seed: int) -> float:
    """Observed tokens per minute of one window relative to the target, minus 1."""
    model = load("seed").model(name)
    assert model is not None
    rule, dice, traffic = model.latency, Random(seed), Traffic()
    count = tpm_count(target, WINDOW_S, PROMPT_TOKENS)
    dues = [number * WINDOW_S / count for number in range(count)]
    pacer = Pacer(
        Pace(tokens_per_word=1.0, overhead_tokens=OVERHEAD_TOKENS, reply_tokens=REPLY_TOKENS,
             latency_s=rule.ttft_s),
        target, dues, count,
    )  # fmt: skip
    events = [(due - LEAD_S, SIZED, index) for index, due in enumerate(dues)]
    heapify(events)
    tokens, latency_s, total, at = [0] * count, [0.0] * count, 0, 0.0
    while events:
        at, what, index = heappop(events)
        if what == SIZED:
            tokens[index] = OVERHEAD_TOKENS + pacer.size(index) + REPLY_TOKENS
            heappush(events, (dues[index], SENT, index))
        elif what == SENT:
            prompt = tokens[index] - REPLY_TOKENS
            first_s = first_token_s(rule, prompt, traffic.arrive(at), dice)
            latency_s[index] = first_s + token_s(rule, REPLY_TOKENS)
            heappush(events, (at + latency_s[index], ANSWERED, index))
        else:
            total += tokens[index]
            pacer.done(index, True, tokens[index], latency_s[index])
    return total / at * 60 / target - 1


def main() -> None:
    """Prints one row per model and target."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pacing")
    parser.add_argument("--windows", type=int, default=40, help="windows per model and target")
    given = parser.parse_args()
    print("| model | target TPM | mean error | standard deviation | within 2 % |")
    print("|---|---|---|---|---|")
    for name in MODELS:
        for target in TARGETS:
            errors = [error(name, target, seed) for seed in range(given.windows)]
            within = sum(abs(e) <= 0.02 for e in errors)
            print(
                f"| {name} | {target:,} | {statistics.mean(errors):+.1%} | "
                f"{statistics.pstdev(errors):.1%} | {within} of {len(errors)} |"
            )


if __name__ == "__main__":
    main()
