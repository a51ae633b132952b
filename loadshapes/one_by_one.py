"""A few requests of one kind, one after another: the phases of probes. Pure."""

from loadshapes.phase import Phase
from loadshapes.schedule import Closed
from loadshapes.task_prefix import task_prefix
from settings.options import Options


def one_by_one(
    options: Options,
    mode: str,
    model: str,
    max_tokens: int,
    *,
    scenario: str = "",
    plain: str = "",
    count: int | None = None,
    stream: bool = False,
) -> Phase:
    """`count` requests (otherwise `--repeat`) from the mode's own builder, one after another.

    `scenario` is their name in rows (otherwise the mode's name); their task_ids contain it unless
    it is the mode's name or `plain`.
    """
    scenario = scenario or mode
    unnamed = scenario in (mode, plain)
    return Phase(
        name=f"{mode}/{scenario}/{model}" if scenario != mode else f"{mode}/{model}",
        mode=mode,
        scenario=scenario,
        model=model,
        schedule=Closed(count or options.repeat),
        request=mode,
        users=1,
        max_tokens=options.max_tokens or max_tokens,
        stream=stream,
        task_prefix=task_prefix(options, mode, model, *([] if unnamed else [scenario]), "run-"),
        first_number=1,
    )
