"""The reference of `--against`: a second route with its own key and access."""

from collections.abc import Mapping
from dataclasses import replace

from recording.errors import OperatorError
from settings.access import NONE
from settings.endpoint import FROM_FILE, Endpoint, endpoint_here, resolve
from settings.gateways import Table
from settings.options import Options

SIMULATOR = "simulator"
"""`--against simulator`: an embedded simulator."""


def of_reference(options: Options) -> Options:
    """The options for the reference, without those meant only for the gateway."""
    named = "" if "://" in options.against else options.against
    return replace(options, gateway=named, header="", key_command="", auth=options.against_auth)


def reference(options: Options, environment: Mapping[str, str]) -> Endpoint:
    """The endpoint of `--against`. Raises OperatorError.

    A key is sent there only if it was configured with that base URL, or under its name.
    """
    asked = of_reference(options)
    url = options.against if "://" in options.against else None
    keyless = asked.auth.strip().lower() == NONE
    if url and not keyless and not Table(environment, FROM_FILE).at_home(url):
        raise OperatorError(
            f"--against {options.against}: no key was configured with that base URL. Set "
            "REF_BASE_URL and REF_API_KEY (any name) and give --against ref, or --against-auth "
            "none if it needs no key."
        )
    try:
        return resolve(url, environment, asked)
    except OperatorError as error:
        raise OperatorError(f"--against: {error}") from None


def reference_here(
    base_url: str, options: Options, key_name: str, *, simulated_reference: bool
) -> Endpoint:
    """The same on a worker, which takes the key from its own environment. Raises OperatorError."""
    asked = of_reference(options)
    return endpoint_here(
        base_url,
        asked,
        Options(),
        options.against if "://" in options.against else None,
        simulated_gateway=simulated_reference,
        key_name=key_name,
    )
