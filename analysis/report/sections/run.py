"""What was run: gateway, models, date, versions."""

from collections.abc import Mapping

from analysis.numbers.warmup import warmup_s
from analysis.page.blocks import Section
from analysis.page.columns import Name, table
from analysis.page.vocabulary import GATEWAY, MODE, RUN, STARTED, WHAT
from analysis.page.words import Words, integer, milliseconds
from analysis.reading.load import Run
from analysis.report.two_routes import of_gateway
from analysis.report.view import View
from analysis.report.workers import clock_offsets_s
from recording.counted import counted

PLACE = 20  # in the report


def section(view: View) -> Section:
    """Facts from the manifest, one per row, without those that the manifest does not state."""
    t, run, manifest = view.t, view.run, view.run.manifest
    versions = manifest.get("versions") or {}
    host: Mapping[str, object] = manifest.get("host") or {}
    models = dict.fromkeys(phase.model_requested for phase in of_gateway(view.phases))
    simulated = t(" (simulator)", "（模拟器）") if run.simulated else ""
    facts = {
        t(*RUN): run.run_id,
        t(*STARTED): run.started_at or "",
        t(*GATEWAY): (run.base_url or "") + simulated,
        t("Reference", "参照路由"): _reference(run),
        t(*MODE): run.mode or "",
        t("Models", "模型"): t.join(models),
        t("Phases", "阶段"): integer(len(manifest["plan"])),
        t("Warm-up", "预热"): _warmup(view),
        t("Currency", "货币"): run.currency or "",
        "Weighbridge": _weighbridge(run),
        t("Versions", "版本"): t.join(f"{k} {v}" for k, v in versions.items()),
        t("Host", "主机"): t.join(f"{_named(t, k)} {v}" for k, v in host.items()),
        t("Worker clocks, behind the master's", "worker 时钟落后于 master"): t.join(
            f"{name} {milliseconds(offset)}" for name, offset in clock_offsets_s(run).items()
        ),
        t("Imported from", "导入自"): t.join(manifest.get("imported_from") or []),
    }
    known = [(name, value) for name, value in facts.items() if value.strip()]
    facts_table = table(
        t,
        known,
        [WHAT.of(lambda fact: fact[0]), Name("Value", "内容").of(lambda fact: fact[1])],
    )
    return Section(t("What was run", "运行概况"), [facts_table], folded=True)


def _warmup(view: View) -> str:
    """What was left out of the windows' numbers; empty without a warm-up."""
    t, length_s = view.t, warmup_s(view.run)
    if not length_s:
        return ""
    left_out = sum(phase.warmup_requests for phase in view.phases)
    return t(
        f"the first {length_s:g} s of every window are left out of its numbers: "
        f"{counted(left_out, 'request')}, which the rows, the charts and the cost include",
        f"各窗口前 {length_s:g} 秒不计入其数据：共 {integer(left_out)} 个请求，"
        "仍保留于记录、图与费用中",
    )


def _named(t: Words, fact: str) -> str:
    """The name of a fact about the host; an unknown one keeps its own."""
    return t(fact, {"name": "名称", "system": "系统", "cores": "核数"}.get(fact, fact))


def _weighbridge(run: Run) -> str:
    """The version that made the run, and the commit it was built from."""
    program = run.manifest.get("weighbridge")
    commit = (program.get("git_commit") or "")[:12] if program else ""
    return f"{run.made_by or ''} {f'({commit})' if commit else ''}".strip()


def _reference(run: Run) -> str:
    """The address of the second route; empty if there is only one route."""
    reference = run.manifest.get("reference")
    return (reference and reference["base_url"]) or ""
