"""One free look at the gateway before anything is paid for: does it answer at all?"""

import logging
import time

import openai

from loadshapes.options import Options
from recording.mistake import OperatorError
from tasks.client import Client
from tasks.endpoint import Endpoint
from tasks.failure import WireError
from tasks.route import route

LONGEST_S = 10.0
log = logging.getLogger("weighbridge")


def preflight(endpoint: Endpoint, options: Options) -> None:
    """GET /models, which costs nothing; only what keeps every request from arriving is an error.

    Raises OperatorError when the gateway cannot be connected to. An HTTP error is none: a gateway
    need not have /models.
    """
    try:
        where = route(endpoint.base_url)
    except ValueError as error:
        raise OperatorError(f"{error}: mend it in the environment.") from None
    client = Client(
        endpoint.base_url,
        endpoint.key,
        where,
        time.perf_counter,
        timeout_s=min(options.timeout, LONGEST_S),
        connect_timeout_s=options.connect_timeout,
    )
    try:
        client.sdk.get("/models", cast_to=object)
    except openai.AuthenticationError:
        log.warning("GET /models was refused with HTTP 401: is the API key right?")
    except openai.APIConnectionError as error:
        cause = error.__cause__
        if isinstance(cause, WireError) and client.wire.sent is None or client.wire.status is None:
            if getattr(cause, "outcome", "") == "timeout_first_byte":
                return
            raise OperatorError(
                f"the gateway at {endpoint.base_url} cannot be reached ({cause}): "
                "check the base URL, and that the gateway is up."
            ) from None
    except openai.OpenAIError:
        return
    finally:
        client.close()
