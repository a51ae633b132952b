"""The money of a run: the table that prices its requests, and the unit of all its costs."""

from dataclasses import dataclass
from typing import Any

from recording.errors import OperatorError
from recording.manifest_content import Manifest
from rules.prices import PriceError, Prices, read
from settings.endpoint import Endpoint
from settings.options import Options


@dataclass(frozen=True, slots=True)
class Tariff:
    """`prices` None: only the gateway states costs; `currency` None: in an unknown unit of its own.

    A run has one currency, because sums of two would be wrong.
    """

    prices: Prices | None
    currency: str | None

    @property
    def plain(self) -> dict[str, Any] | None:
        """The table as plain data, for the manifest and workers."""
        return None if self.prices is None else self.prices.as_dict()


def table(options: Options, manifest: Manifest | None = None) -> Prices | None:
    """The price table of a run; a resumed run uses the one in its `manifest`.

    Raises OperatorError if it cannot be read.
    """
    if manifest is not None:
        return Prices.from_dict(manifest.get("prices"))
    try:
        return read(options.prices) if options.prices else None
    except PriceError as error:
        raise OperatorError(f"--prices: {error}") from None


def tariff(options: Options, endpoint: Endpoint, manifest: Manifest | None) -> Tariff:
    """The tariff of a run; a resumed run uses the one in its `manifest`.

    Raises OperatorError if the table's currency is not that of the gateway's costs.
    """
    prices = table(options, manifest)
    if manifest is not None:
        return Tariff(prices, manifest.get("currency"))
    known = options.currency or endpoint.currency
    if prices is None:
        return Tariff(None, known)
    if known and prices.currency and prices.currency != known:
        raise OperatorError(
            f"--prices {options.prices} is in {prices.currency}, but the gateway's costs are in "
            f"{known}: write the prices in {known}, or give --currency {prices.currency} if the "
            "gateway bills in that."
        )
    return Tariff(prices, known or prices.currency)
