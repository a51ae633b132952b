"""The price of a request.

Prices are per million tokens, so tokens x price is money in millionths; it is summed in these and
rounded half up once, as on the bills of the article (`0.0001065` was billed as `0.000107`).
"""

from math import floor

from simulator.profile import Prices


def cost(
    prices: Prices,
    prompt_tokens: int,
    completion_tokens: int,
    cached_tokens: int = 0,
    cache_write_tokens: int = 0,
) -> float:
    """The charge for one request; cached and written tokens are included in the prompt's."""
    cached = prices.input if prices.cached_input is None else prices.cached_input
    write = prices.input if prices.cache_write is None else prices.cache_write
    plain_tokens = prompt_tokens - cached_tokens - cache_write_tokens
    millionths = (
        plain_tokens * prices.input
        + cached_tokens * cached
        + cache_write_tokens * write
        + completion_tokens * prices.output
    )
    unit = 10.0 ** (prices.decimals - 6)
    # The tiny term keeps exact halves from rounding down as binary fractions (106.49999...).
    rounded = floor(millionths * unit + 0.5 + 1e-9) / 10.0**prices.decimals
    return max(rounded, prices.minimum)
