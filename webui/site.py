"""Our own pages: to start a run, watch it, and find it among past runs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, jsonify, make_response, request, send_from_directory
from jinja2 import Environment as Pages
from jinja2 import FileSystemLoader, StrictUndefined
from locust.web import WebUI

from recording.untrusted_text import printable
from webui import downloads, fields, past_runs, words
from webui.safety import FOREIGN, OURS
from webui.start import Desk
from webui.watched import Gateway

HERE = Path(__file__).parent
STATIC = HERE / "static"
_pages = Pages(
    loader=FileSystemLoader(HERE / "pages"), autoescape=True, undefined=StrictUndefined,
    trim_blocks=True, lstrip_blocks=True,
)  # fmt: skip


def written(lang: str, page: str, root: str, status: int = 200, **facts: Any) -> Response:
    """A page in one language; `root` is the relative path from it to the start page."""
    html = _pages.get_template(f"{page}.html").render(
        t=words.texts(lang), lang="zh-CN" if lang == "zh" else "en", root=root, page=page, **facts
    )
    answer = make_response(html, status)
    answer.headers["Content-Security-Policy"] = OURS
    answer.headers["Cache-Control"] = "no-store"
    return answer


def start_page(gateway: Gateway, desk: Desk) -> Callable[[], Response]:
    """The view of `/`: the form that starts a run."""

    def view() -> Response:
        last = desk.asked_last()
        chosen = request.args.get("mode") or last.mode or "smoke"
        cards = fields.cards(gateway.lang)
        return written(
            gateway.lang, "start", "./",
            cards=cards,
            chosen=chosen if chosen in {card.name for card in cards} else "smoke",
            groups=fields.groups(last, gateway.lang, desk.references()),
            given=[
                (flag, printable(value, 120))
                for flag, value in fields.command_line_only(last, gateway.lang)
            ],
            host=desk.gateway,
            simulated=last.simulator,
        )  # fmt: skip

    return view


def pages(web_ui: WebUI, gateway: Gateway, desk: Desk, base: str) -> Blueprint:
    """Our routes below /gateway, behind the login if there is one."""
    texts = words.texts(gateway.lang)
    blueprint = Blueprint("gateway", __name__, url_prefix=f"{base}/gateway")

    def route(path: str, view: Callable[..., Response], **more: Any) -> None:
        behind: Any = web_ui.auth_required_if_enabled
        blueprint.add_url_rule(path, view.__name__, behind(view), **more)

    def live() -> Response:
        return written(gateway.lang, "live", "./")

    def state() -> Response:
        return jsonify(gateway.state())

    def outlook() -> Response:
        """What the form would send, or why it would be refused."""
        return jsonify(desk.outlook(request.form.to_dict(), gateway.lang))

    def download(name: str) -> Response:
        """A file of the current or last run."""
        if name == "report.html":
            return downloads.report(gateway.folder, texts)
        return downloads.rows(gateway.folder, name, texts)

    def runs() -> Response:
        newest, count = past_runs.newest(desk.results())
        return written(gateway.lang, "runs", "../", runs=newest, count=count)

    def file(run: str, name: str) -> Response:
        """A file of a past run."""
        folder = past_runs.folder_of(desk.results(), run)
        if folder is None:
            return written(gateway.lang, "sorry", "../../../", 404, why=texts["no_such_run"])
        if name == "report.html" and (folder / name).is_file():
            answer = send_from_directory(folder, name, download_name=f"{run}-{name}")
            answer.headers["Content-Security-Policy"] = FOREIGN
            return answer
        if name == "summary.json" and (folder / name).is_file():
            return send_from_directory(
                folder, name, as_attachment=True, download_name=f"{run}-{name}"
            )
        if name in downloads.KINDS:
            return downloads.rows(folder, name, texts)
        return written(gateway.lang, "sorry", "../../../", 404, why=texts["no_report"])

    def compare() -> Response:
        """The comparison of the named runs, with the first as the baseline."""
        named = dict.fromkeys(request.args.getlist("run"))
        folders = [past_runs.folder_of(desk.results(), name) for name in named]
        known = [folder for folder in folders if folder is not None]
        if len(known) < 2 or len(known) < len(named):
            return written(gateway.lang, "sorry", "../", 400, why=texts["choose_two"])
        known.sort(key=lambda folder: (folder / "manifest.json").stat().st_mtime_ns)
        page, why = downloads.comparison(known[: downloads.MOST_COMPARED], gateway.lang)
        if page is None:
            return written(gateway.lang, "sorry", "../", 409, why=why)
        answer = make_response(page)
        answer.headers["Content-Security-Policy"] = FOREIGN
        return answer

    def static(name: str) -> Response:
        return send_from_directory(STATIC, name)

    route("", live)
    route("/state", state)
    route("/outlook", outlook, methods=["POST"])
    route("/<any('requests.csv', 'requests.jsonl', 'report.html'):name>", download)
    route("/runs", runs)
    route("/runs/<run>/<name>", file)
    route("/compare", compare)
    route("/static/<name>", static)
    return blueprint
