"""Model names and fingerprints in replies that changed during the run."""

from analysis.numbers.markers import COLUMNS, MOST, Marker, markers
from analysis.page.blocks import Block, Section, Text
from analysis.page.columns import Name, table
from analysis.page.words import Words, integer
from analysis.report.view import View
from recording.counted import counted
from recording.untrusted_text import quoted

PLACE = 98  # in the report


def section(view: View) -> Section:
    """A table per model and marker with more than one value, and what that may mean."""
    t, changing = view.t, markers(view.run.rows.frame(list(COLUMNS)))
    if not changing:
        return Section("", [])
    blocks: list[Block] = [_block(t, marker) for marker in changing]
    blocks.append(
        Text(
            t(
                "This is no accusation: a vendor moves a name to a new snapshot, and fingerprints "
                "change with each roll-out and differ between backends. A router has one for each "
                "provider. `--mode identity` with a reference may show which it is.",
                "这本身不构成指控：供应商会把同一名称指向新快照，"
                "指纹随每次发布变化，不同后端也各不相同；路由网关会因供应商不同而异。"
                "要进一步判断，可用 `--mode identity` 配合参照。",
            )
        )
    )
    return Section(t("What do replies say made them?", "应答自称由谁生成"), blocks)


def _block(t: Words, marker: Marker) -> Block:
    title = f"{marker.model}{t.colon}{marker.kind}"
    if marker.names_replies:
        return Text(
            t(
                f"{quoted(marker.model, 60)}: replies have {integer(len(marker.values))} different "
                f"values of `{marker.kind}`, which name no backend (more than {MOST}).",
                f"{quoted(marker.model, 60)}：应答中 `{marker.kind}` 有 "
                f"{integer(len(marker.values))} 个不同的值（超过 {MOST} 个），无法据此辨认后端。",
            )
        )
    return table(
        t,
        marker.values,
        [
            Name("Value", "值").of(lambda value: quoted(value.text, 100)),
            Name("Replies", "应答数").of(lambda value: value.replies, integer),
            Name("First", "首次").of(lambda value: _moment(value.first)),
            Name("Last", "末次").of(lambda value: _moment(value.last)),
        ],
        title=title,
        how=t(
            f"{counted(marker.unnamed, 'reply does', 'replies do')} not state one.",
            f"另有 {integer(marker.unnamed)} 个应答未给出。",
        )
        if marker.unnamed
        else "",
    )


def _moment(timestamp: str) -> str:
    """A row's timestamp, to the second."""
    return timestamp[:19].replace("T", " ")
