"""The names of a request in a trace, which its row is enough to derive. Pure."""

from hashlib import sha256


def trace_ids(run_id: str, phase: str, task_id: str) -> tuple[str, str]:
    """Trace id and span id (W3C Trace Context) of a request.

    The first 32 and the next 16 hexadecimal digits of SHA-256 over run_id, phase and task_id in
    UTF-8, with a line feed between them.
    """
    text = f"{run_id}\n{phase}\n{task_id}"
    digest = sha256(text.encode("utf-8", "backslashreplace")).hexdigest()
    return digest[:32], digest[32:48]
