"""Windows with a fixed rate: the target's number of requests in `--duration` seconds. Pure."""

from collections.abc import Callable

from loadshapes.phase import Phase
from loadshapes.schedule import arrivals
from loadshapes.task_prefix import task_prefix
from recording.errors import MissingOption
from settings.options import Options


def windows(options: Options, mode: str, request: str, count: Callable[[int], int]) -> list[Phase]:
    """One window per model and target, with `count(target)` requests.

    Raises OperatorError if a model or a target is missing.
    """
    if not options.models:
        raise MissingOption(f"--model is missing: mode {mode} needs the model to load.")
    if not options.targets:
        unit = {"rpm": "RPM", "tpm": "TPM"}.get(mode, "rate or concurrency")
        raise MissingOption(f"--target is missing: mode {mode} needs a target {unit}.")
    return [
        Phase(
            name=f"{mode}/{model}/{target}",
            mode=mode,
            scenario="stream" if options.stream else "chat",
            model=model,
            schedule=arrivals(options, count(target), f"{mode}/{model}/{target}"),
            request=request,
            users=min(options.max_workers, count(target)),
            target=target,
            max_tokens=options.max_tokens or 16,
            stream=options.stream,
            task_prefix=task_prefix(options, mode, model, f"target-{target}", "req-"),
            climb=f"{mode}/{model}",
        )
        for model in options.models
        for target in options.targets
    ]
