"""Our part of Locust's web UI: the start page, the Gateway tab and the downloads."""

from collections.abc import Callable
from typing import Any

from flask import Response, make_response
from locust.env import Environment
from locust.web import WebUI

from webui import words
from webui.hosts import own_names
from webui.safety import by_name, closed, same_origin, sealed
from webui.site import pages, start_page
from webui.start import Desk
from webui.watched import Gateway

__all__ = ["Gateway", "attach"]
OURS = ("charts", "run", "tab", "refusal")  # our scripts on Locust's page, in their order


def attach(environment: Environment, web_ui: WebUI, gateway: Gateway, desk: Desk) -> None:
    """Adds our part to Locust's web UI, before it listens."""
    app = web_ui.app
    assert app is not None and environment.parsed_options is not None
    # Keep the order of the form's options and of our columns.
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.jinja_env.policies["json.dumps_kwargs"] = {"sort_keys": False}
    base, views = environment.parsed_options.web_base_path or "", app.view_functions
    views["locust.swarm"], views["locust.stop"] = (
        web_ui.auth_required_if_enabled(view)
        for view in desk.guard(views["locust.swarm"], views["locust.stop"])
    )
    locusts = with_ours(views["locust.index"])
    app.add_url_rule(
        f"{base}/locust", "locusts_own", locusts
    )  # one of Locust's views asks for login
    views["locust.index"] = web_ui.auth_required_if_enabled(start_page(gateway, desk))
    report = views["locust.stats_report"]
    views["locust.stats_report"] = lambda: sealed(report())
    texts = words.texts(gateway.lang)
    links = [
        {"href": f"./gateway/{name}".rstrip("/"), "title": title}
        for name, title in words.files(gateway.lang).items()
    ]
    web_ui.template_args.update(
        {
            "extended_tabs": [{"title": texts["title"], "key": "gateway"}],
            "extended_csv_files": links,
        }
    )
    show_last_values(environment, web_ui)
    app.register_blueprint(pages(web_ui, gateway, desk, base))
    parsed = environment.parsed_options
    app.before_request(by_name(own_names(parsed.web_host or "", parsed.web_names)))
    app.before_request(same_origin)
    # First in the list runs last: after Flask-CORS, whose permission for any site it revokes.
    app.after_request_funcs.setdefault(None, []).insert(0, closed)


def with_ours(view: Callable[[], Any]) -> Callable[[], Response]:
    """Locust's page with our Gateway tab, and only its own scripts and ours."""

    def index() -> Response:
        answer = make_response(view())
        html = answer.get_data(as_text=True)
        if answer.status_code != 200 or "</body>" not in html:
            return answer
        ours = "".join(f'<script src="./gateway/static/{n}.js"></script>' for n in OURS)
        ours = f'<link rel="stylesheet" href="./gateway/static/gateway.css">{ours}'
        answer.set_data(html.replace("</body>", f"{ours}</body>"))
        return sealed(answer)

    return index


def show_last_values(environment: Environment, web_ui: WebUI) -> None:
    """Makes the form show the options of the last run, even after a reload."""
    update = web_ui.update_template_args

    def update_template_args() -> None:
        update()
        for name, field in web_ui.template_args["extra_options"].items():
            field["default_value"] = getattr(environment.parsed_options, name)

    web_ui.update_template_args = update_template_args  # type: ignore[method-assign]
