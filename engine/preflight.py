"""One free check before anything is paid for: does the gateway answer at all?"""

import logging
import time
from collections.abc import Iterable
from ipaddress import ip_address

import openai

from engine.connection_advice import login, remedy
from engine.did_you_mean import Doubt, listed, other_base, unlisted
from recording.errors import OperatorError
from recording.redaction import redacted
from settings.access import BEARER, NONE
from settings.endpoint import Endpoint
from settings.options import Options
from tasks.client import Client
from tasks.route import Route, route
from tasks.transport_failure import WireError

LONGEST_S = 10.0
log = logging.getLogger("weighbridge")


def preflight(
    endpoint: Endpoint, options: Options, models: Iterable[str] = ()
) -> tuple[Doubt, ...]:
    """GET /models, which costs nothing; only what keeps every request from arriving is an error.

    Returns what it makes doubtful: the base URL, or that the gateway has one of the `models`.
    Raises OperatorError when the gateway cannot be connected to. An HTTP error is none: a gateway
    need not have /models.
    """
    if endpoint.access.command is not None:
        endpoint.access.command.key()
    try:
        where = way(endpoint)
    except ValueError as error:
        raise OperatorError(f"{error}.") from None
    proxy = f"{where.proxy.host}:{where.proxy.port}" if where.proxy else ""
    if proxy and is_loopback(where.host):
        log.warning(
            "%s is this machine, and is asked through the proxy %s of the environment: set "
            "NO_PROXY=%s if that is not meant", where.host, proxy, where.host,
        )  # fmt: skip
    client = _client(endpoint, endpoint.base_url, where, options)
    try:
        return tuple(unlisted(models, listed(client.sdk.get("/models", cast_to=object))))
    except openai.AuthenticationError:
        auth = endpoint.access.auth
        how = "Authorization: Bearer" if auth == BEARER else auth
        what = "none was sent (--auth none)" if auth == NONE else f"it was sent as {how} (--auth)"
        log.warning("GET /models was refused with HTTP 401: is the API key right? %s", what)
    except openai.APIConnectionError as error:
        cause = error.__cause__
        if isinstance(cause, WireError) and client.wire.sent is None or client.wire.status is None:
            if getattr(cause, "outcome", "") == "timeout_first_byte":
                return ()
            without_client_cert = where.tls is not None and not endpoint.access.client_cert
            message = redacted(f"{cause}", endpoint.secrets)
            raise OperatorError(
                f"the gateway at {endpoint.masked_url} cannot be reached ({message}): "
                f"{remedy(message, proxy, bare_tls=without_client_cert)}"
            ) from None
    except openai.APIStatusError as error:
        if proxy and error.status_code == 407:
            raise OperatorError(login(proxy)) from None
        if error.status_code == 404:
            return _elsewhere(endpoint, where, options)
    except openai.OpenAIError:
        return ()
    finally:
        client.close()
    return ()


def _elsewhere(endpoint: Endpoint, where: Route, options: Options) -> tuple[Doubt, ...]:
    """Whether a gateway without /models has one where its base URL may have been meant to be."""
    other = other_base(endpoint.address)
    if other is None:
        return ()
    client = _client(endpoint, f"{other.base}?{other.query}".rstrip("?"), where, options)
    try:
        names = listed(client.sdk.get("/models", cast_to=object))
    except (openai.OpenAIError, WireError, ValueError):
        return ()
    finally:
        client.close()
    return (Doubt("base_url", endpoint.masked_url, (other.masked_url,)),) if names else ()


def _client(endpoint: Endpoint, base_url: str, where: Route, options: Options) -> Client:
    client = Client(
        base_url,
        endpoint.key,
        where,
        time.perf_counter,
        timeout_s=min(options.timeout, LONGEST_S),
        connect_timeout_s=options.connect_timeout,
        access=endpoint.access,
        run_id=options.run_id,
    )
    client.mark("preflight", "models")
    return client


def way(endpoint: Endpoint) -> Route:
    """The route to an endpoint; to the embedded simulator without a proxy. Raises ValueError."""
    access = endpoint.access
    return route(
        endpoint.base_url,
        ca_file=access.ca_file,
        client_cert=access.client_cert,
        client_key=access.client_key,
        direct=endpoint.simulated,
    )


def is_loopback(host: str) -> bool:
    """Whether a host name or address is of this machine alone."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
