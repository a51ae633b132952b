"""Protects this server: content security policies, its host names, and who may post."""

import re
import secrets
from collections.abc import Callable, Collection
from typing import Any
from urllib.parse import urlsplit

from flask import Response, jsonify, make_response, request

from webui.hosts import is_ours

POLICY = (
    "default-src 'none'; script-src 'self'{nonce}; style-src 'self'{style}; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
OURS = POLICY.format(nonce="", style="")
"""Policy of our own pages: only scripts and styles that are files of this server."""
FOREIGN = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""Policy of a run's file that is shown: no scripts, and an opaque origin."""


def sealed(page: Any) -> Response:
    """One of Locust's pages, with a policy that allows the scripts it came with, and no others.

    Its own tags begin a line; their data and text never do.
    """
    answer = make_response(page)
    if not answer.content_type.startswith("text/html") or answer.status_code != 200:
        return answer
    nonce = secrets.token_urlsafe(16)
    html = re.sub(
        r"^(\s*<script)(?= |>)", rf'\1 nonce="{nonce}"', answer.get_data(as_text=True), flags=re.M
    )
    answer.set_data(html)
    policy = POLICY.format(nonce=f" 'nonce-{nonce}'", style=" 'unsafe-inline'")
    answer.headers["Content-Security-Policy"] = policy
    return answer


def by_name(names: Collection[str]) -> Callable[[], Response | None]:
    """Refuses a browser that came here under a name that is not this server's."""

    def check() -> Response | None:
        if is_ours(request.host, names):
            return None
        why = (
            "This server is not known by this name: use its address, or start it with --web-names."
        )
        answer = jsonify({"success": False, "message": why})
        answer.status_code = 421
        return answer

    return check


def same_origin() -> Response | None:
    """Refuses posts by another site's page, which would spend the operator's money."""
    if request.method not in ("POST", "PUT", "DELETE", "PATCH"):
        return None
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None:
        foreign = site not in ("same-origin", "none")
    else:
        foreign = origin is not None and urlsplit(origin).netloc != request.host
    if not foreign:
        return None
    answer = jsonify({"success": False, "message": "Another site's page may not do this."})
    answer.status_code = 403
    return answer


def closed(answer: Response) -> Response:
    """Forbids other sites to read this server's answers, frame them, or guess their type."""
    for name in [name for name, _ in answer.headers if name.startswith("Access-Control-")]:
        answer.headers.pop(name, None)
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["X-Frame-Options"] = "DENY"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer
