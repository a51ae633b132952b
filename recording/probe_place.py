"""Which requests of a load are probes of identity, for `--identity-share`. Pure."""


def is_probe(every: int, number: int) -> bool:
    """Whether request `number` of a phase is one; `every`: one of so many is, 0: none."""
    return bool(every) and number % every == every // 2
