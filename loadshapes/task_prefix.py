"""The prefix of a phase's task_ids. Pure."""

from settings.options import Options


def task_prefix(options: Options, *parts: object) -> str:
    """`--task-id-prefix` and the parts, with hyphens between: `<prefix>-rpm-m-target-60-req-`."""
    return "-".join([options.task_id_prefix, *(str(part) for part in parts)])
