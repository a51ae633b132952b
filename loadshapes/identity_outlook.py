"""What a run of mode identity may use, stated before it is sent: a clause for each test. Pure."""

from collections.abc import Iterator
from typing import NamedTuple

from identity import bound, context, first_token
from identity.alpha import LOOKS
from identity.bound import Bound
from identity.looks import ANSWERS
from identity.reference import Reference
from recording.bilingual import Bilingual, joined
from recording.counted import counted
from rules.prices import Prices
from settings.options import Options


class Test(NamedTuple):
    """One test and the most it uses, on each of the `routes`; `full_length` is the bound of all
    looks, if there are several. The number of requests of an `exact` test is known.
    """

    name: Bilingual
    most: Bound
    full_length: Bound | None = None
    exact: bool = False
    routes: int = 1


def outlook(options: Options, known: Reference | None, prices: Prices | None) -> Bilingual:
    """What the models may use: bounds, not estimates; test by test, then in all."""
    of_models = [_of_model(model, list(_tests(options, known)), prices) for model in options.models]
    text = joined(of_models)
    return Bilingual(
        f"{text.en} (what a gateway adds to a prompt is not in it, nor are requests that it "
        "refuses for a field and that are sent again)",
        f"{text.zh}（不含网关自行加入 prompt 的内容，也不含因字段被拒而重发的请求）",
    )


def _of_model(model: str, tests: list[Test], prices: Prices | None) -> Bilingual:
    price = prices.of(model) if prices else None
    unit = f" {prices.currency}" if prices and prices.currency else ""

    def use(most: Bound, exact: bool) -> Bilingual:
        tokens = f"{most.prompt_tokens + most.output_tokens:,}"
        cost = f"{price.most_of(*most):.6g}{unit}" if price else ""
        en = f"{counted(most.requests, 'request')} and at most {tokens} tokens"
        zh = f"{most.requests:,} 个请求、{'至多 ' if exact else ''}{tokens} token"
        most_en, most_zh = ("", "") if exact else ("at most ", "至多 ")
        return Bilingual(
            f"{most_en}{en}{f' and {cost}' if cost else ''}",
            f"{most_zh}{zh}{f'、{cost}' if cost else ''}",
        )

    def clause(test: Test) -> Bilingual:
        where_en, where_zh = ("on each route ", "每条路由") if test.routes > 1 else ("", "")
        if test.exact and where_zh:
            where_zh += " "
        first = use(test.most, test.exact)
        en, zh = f"{where_en}{first.en}", f"{where_zh}{first.zh}"
        if test.full_length is not None:
            rest = use(test.full_length, test.exact)
            en = f"{en} where it differs at once, else {rest.en}"
            zh = f"若一开始就有差异，{zh}，否则{rest.zh}"
        return Bilingual(f"{test.name.en}, {en}", f"{test.name.zh}，{zh}")

    parts = [one.full_length or one.most for one in tests for _ in range(one.routes)]
    total = use(bound.together(parts), exact=False)
    text = joined([*map(clause, tests), Bilingual(f"in all {total.en}", f"合计{total.zh}")])
    return Bilingual(f"{model}: {text.en}", f"{model}：{text.zh}")


def _tests(options: Options, known: Reference | None) -> Iterator[Test]:
    logprobs = Bilingual("log-probabilities", "对数概率")
    seed = Bilingual("whether a seed is honoured", "seed 是否生效")
    who = Bilingual("who answers", "由谁应答")
    yield Test(Bilingual("who counts", "由谁计数"), bound.counting(), exact=True)
    if options.enrol:
        yield Test(Bilingual("a reference", "生成参照"), bound.enrolment(ANSWERS), exact=True)
    else:
        honoured = Bilingual("whether settings are honoured", "参数是否生效")
        yield Test(honoured, bound.settings(known is not None))
    if known is not None:
        if known.logprobs is not None:
            yield Test(logprobs, bound.likeliest(1), exact=True)
        if known.seed is not None:
            yield Test(seed, bound.seeds(), exact=True)
        questions = (cell.question for cell in known.cells)
        yield Test(who, *bound.audit(questions), exact=True)
    if options.against:
        there = Bilingual("who counts there", "参照路由由谁计数")
        yield Test(there, bound.plain_counting(), exact=True)
        choosing = Bilingual("choosing questions there", "在参照路由上选题")
        yield Test(choosing, bound.choosing(), exact=True)
        yield Test(logprobs, bound.likeliest(len(first_token.TOPS)), routes=2)
        yield Test(seed, bound.seeds(), routes=2)
        yield Test(who, bound.dearest(LOOKS[0][0]), bound.dearest(LOOKS[-1][0]), routes=2)
    if options.identity_tools:
        calls = Bilingual("tool calls", "工具调用")
        yield Test(calls, bound.calls(), exact=True, routes=2 if options.against else 1)
    if sizes := context.sizes(options.identity_context):
        yield Test(Bilingual("context length", "上下文长度"), bound.lengths(sizes))
    if options.identity_output:
        replies = Bilingual("long replies", "长应答")
        most = bound.long_replies(options.identity_output)
        yield Test(replies, most, routes=2 if options.against else 1)
