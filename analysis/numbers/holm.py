"""P-values of several questions at once (Holm, Scand. J. Statist. 6, 1979). Pure."""


def holm(p_values: list[float]) -> list[float]:
    """P-values adjusted by Holm's method, in their order.

    If only p-values at or below 0.05 count, at most 5 % of comparisons between equal sides report
    any difference at all, however many numbers are compared.
    """
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted, highest = [0.0] * len(p_values), 0.0
    for place, index in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - place) * p_values[index]))
        adjusted[index] = highest
    return adjusted
