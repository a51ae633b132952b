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
    """The options for the reference: its own in place of those meant only for the gateway."""
    return replace(
        options,
        gateway="" if "://" in options.against else options.against,
        header=options.against_header,
        key_command=options.against_key_command,
        auth=options.against_auth,
    )


def reference(options: Options, environment: Mapping[str, str]) -> Endpoint:
    """The endpoint of `--against`. Raises OperatorError.

    A key is sent there only if it was configured with that base URL, or under its name.
    """
    reference_options = of_reference(options)
    url = options.against if "://" in options.against else None
    keyless = reference_options.auth.strip().lower() == NONE or bool(reference_options.key_command)
    if url and not keyless and not Table(environment, FROM_FILE).at_home(url):
        raise OperatorError(
            f"--against {options.against}: no key was configured with that base URL. Set "
            "REF_BASE_URL and REF_API_KEY (any name) and give --against ref, or --against-auth "
            "none if it needs no key."
        )
    try:
        return resolve(url, environment, reference_options)
    except OperatorError as error:
        raise _named_for_it(error) from None


def reference_here(
    base_url: str,
    options: Options,
    options_here: Options,
    key_name: str,
    *,
    simulated_reference: bool,
) -> Endpoint:
    """The same on a worker, which takes keys, headers and commands from its own environment and
    command line (`options_here`). Raises OperatorError.
    """
    try:
        return endpoint_here(
            base_url,
            of_reference(options),
            of_reference(options_here),
            options.against if "://" in options.against else None,
            simulated_gateway=simulated_reference,
            key_name=key_name,
        )
    except OperatorError as error:
        raise _named_for_it(error) from None


def _named_for_it(error: OperatorError) -> OperatorError:
    """The sentence with the reference's options in place of the gateway's, which have their names
    but for `against`.
    """
    text = str(error)
    for name in ("header", "key-command", "auth"):
        text = text.replace(f"--{name}", f"--against-{name}")
    return OperatorError(f"--against: {text.replace('WEIGHBRIDGE_', 'WEIGHBRIDGE_AGAINST_')}")
