"""A request leaves nothing behind for the garbage collector, whose passes delay others."""

import gc
from collections import Counter
from collections.abc import Callable

import pytest

from tests.engine.pool import BASE, Pool
from tests.tasks.scripted_server import (
    WHOLE_STREAM,
    Serve,
    answer,
    completion,
    json_reply,
    streaming,
)
from tests.tasks.sending import sender

ANSWERS = {
    "whole": json_reply(completion()),
    "refused": json_reply({"error": {"message": "no"}}, status="429 Too Many Requests"),
    "malformed": json_reply({"choices": 7}),
    "stream": streaming(*WHOLE_STREAM),
}
OURS = ("tasks.", "loadshapes.", "recording.", "openai.", "httpx2.", "httptools.")


def left_by(act: Callable[[], object]) -> Counter[str]:
    """The objects of ours and of the SDK's that only the collector could free after `act`."""
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        act()
        gc.collect()
        names = [f"{_home(thing)}.{type(thing).__name__}" for thing in gc.garbage]
        return Counter(name for name in names if name.startswith(OURS))
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


def _home(thing: object) -> str:
    of_code = getattr(thing, "__module__", None)  # functions name the module they are from
    return of_code if isinstance(of_code, str) else type(thing).__module__


@pytest.mark.parametrize("kind", ANSWERS)
def test_an_exchange_leaves_no_reference_cycle_whatever_comes_back(serve: Serve, kind: str) -> None:
    server = serve(answer(ANSWERS[kind]))
    with sender(server.base_url) as user:
        user.send(0, stream=kind == "stream")
        cycles = left_by(lambda: [user.send(n, stream=kind == "stream") for n in range(1, 6)])
    assert not cycles


def test_handing_out_jobs_leaves_no_reference_cycle() -> None:
    pool = Pool(BASE)
    cycles = left_by(pool.run)
    assert cycles["tasks.job.Job"] == 0
    assert not {name for name in cycles if name.endswith("function")}
