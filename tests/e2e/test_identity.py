"""Mode identity on a simulator whose weights, counts and shares are known."""

import json
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from analysis.numbers.identity import Identity
from analysis.reading.load import load
from analysis.report import identity
from analysis.report.report import look
from identity.counting import Kind
from identity.honoured import Honoured
from identity.honoured import Why as WhyNot
from identity.logprobs import Why as Likeliest
from identity.looks import Verdict, Why
from identity.setting import Setting
from tests.locust_run import CANARY, ROOT, LocustRun, command, environment, run
from tests.simulated import Simulator

PROFILE = """
any_model = true
[latency]
fixed_s = 0.0
[prices]
input = 1.4
output = 4.0
{more}
[answers]
weights = 1
"""
HONEST = PROFILE.format(more="")
MODEL = "gpt-4o"


def asked(
    folder: Path,
    profile: str,
    *options: object,
    faults: str = "",
    env: dict[str, str] | None = None,
) -> tuple[LocustRun, list[dict[str, str]]]:
    """A run of the mode against a simulator of a profile, and the simulator's own log."""
    folder.mkdir()
    (folder / "p.toml").write_text(profile)
    gateway = Simulator(folder / "log.csv", "--profile", folder / "p.toml",
                        *(("--fault", faults) if faults else ()))  # fmt: skip
    try:
        mode = () if "--mode" in options else ("--mode", "identity")
        result = run("-H", gateway.url, *mode, "--model", MODEL, *options,
                   results=folder / "r", env=env)  # fmt: skip
        return result, gateway.rows()
    finally:
        gateway.stop()


def enrol(folder: Path, output: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "analysis", "enrol", folder, "--output", output],
        cwd=ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the honest simulator, made with --no-content."""
    folder = tmp_path_factory.mktemp("enrolled")
    result, logged = asked(folder / "run", HONEST, "--enrol", "--no-content")
    assert result.code == 0 and result.folder is not None, result.text
    assert len(result.rows()) == len(logged) == 14 + 600 + 960 + 30 + 96
    assert not any(row.content for row in result.rows())
    reference_file = enrol(result.folder, folder / "reference.json")
    assert reference_file.returncode == 0, reference_file.stderr
    return folder / "reference.json"


def found(result: LocustRun) -> Identity:
    assert result.code == 0 and result.folder is not None, result.text
    view = look(load(result.folder))
    (one,) = identity.numbers(view)
    return one


@pytest.mark.slow
def test_the_reference_is_made_of_answers_that_did_not_choose_its_questions(
    reference: Path,
) -> None:
    cells = json.loads(reference.read_text(encoding="utf-8"))["cells"]
    for cell in cells:
        assert sum(cell["first"].values()) + sum(cell["second"].values()) == 40


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "profile", "faults", "verdict"),
    [
        ("honest", HONEST, "", Verdict.NOT_SHOWN),
        ("busy", HONEST, "error_503=0.05", Verdict.NOT_SHOWN),
        ("response cache", HONEST, "response_cache=1.0", Verdict.NOT_SHOWN),
        ("part", HONEST + "other = 2\nshare = 0.15\n", "", Verdict.DIFFERS),
        ("other", HONEST.replace("weights = 1", "weights = 2"), "", Verdict.DIFFERS),
    ],
)  # fmt: skip
def test_another_model_is_found_and_the_same_one_is_not(
    tmp_path: Path, reference: Path, name: str, profile: str, faults: str,
    verdict: Verdict,
) -> None:  # fmt: skip
    """Each request is in the gateway's own log; another model is found at the first look."""
    result, logged = asked(tmp_path / name, profile, "--reference", reference, faults=faults)
    one = found(result)
    assert one.audit is not None and one.audit.verdict is verdict
    tests = [one.audited, one.counted, one.weighed, *(test for _, test in one.settings)]
    assert len(result.rows()) == len(logged) == sum(test.requests for test in tests)
    charged = sum(float(row["billed"] or 0) for row in logged)
    assert sum(test.cost or 0 for test in tests) == pytest.approx(charged)
    differ = {each.setting for each, _ in one.settings if each.verdict is Verdict.DIFFERS}
    assert differ == ({Setting.CACHE} if name == "response cache" else set())
    if name == "other":
        assert one.audited.requests == 96


@pytest.mark.slow
@pytest.mark.parametrize(
    ("more", "kind", "verdict"),
    [
        ("[billing]\ninflate = 1.1", Kind.INFLATED, Verdict.DIFFERS),
        ("[tokens]\ncl100k = true", Kind.OTHER, Verdict.DIFFERS),
        ("[billing]\nhidden_prompt_tokens = 4170", Kind.CLAIMED, Verdict.NOT_SHOWN),
        ("[billing]\nhidden_prompt_tokens = 50\nhidden_prompt_spread = 3", Kind.VARIES,
         Verdict.NOT_ENOUGH),
    ],
)  # fmt: skip
def test_inflated_counts_and_hidden_prompts_are_found(
    tmp_path: Path, more: str, kind: Kind, verdict: Verdict
) -> None:
    result, logged = asked(tmp_path / "run", PROFILE.format(more=more))
    one = found(result)
    assert (one.counting.kind, one.counting.verdict) == (kind, verdict)
    assert one.counted.requests == 14
    assert len(logged) == 14 + sum(test.requests for _, test in one.settings)
    if "4170" in more:
        assert one.counting.unsent == 4170 - 1  # the simulator's chat format is a token shorter


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--reference", "nowhere.json"), "cannot be read"),
        (("--max-tokens", "5"), "leave out --max-tokens"),
        (("--enrol", "--against", "http://127.0.0.1:9/v1"), "leave out --enrol"),
    ],
)
def test_operator_errors_are_one_sentence_before_anything_is_sent(
    tmp_path: Path, options: tuple[str, ...], sentence: str
) -> None:
    result = run("--simulator", "--mode", "identity", "--model", MODEL, *options, results=tmp_path)
    assert result.code == 2 and sentence in result.text and result.folder is None


@pytest.mark.slow
def test_a_dry_run_states_a_bound_that_the_gateways_log_keeps(
    tmp_path: Path, reference: Path
) -> None:
    """Requests are exact, tokens and money at most what is printed, test by test."""
    prices = tmp_path / "prices.toml"
    prices.write_text(f'currency = "CNY"\n[models."{MODEL}"]\ninput = 1.4\noutput = 4.0\n')
    more = ("--reference", reference, "--prices", prices)
    dry = run("-H", "http://127.0.0.1:9/v1", "--mode", "identity", "--model", MODEL, *more,
              "--dry-run", results=tmp_path / "dry")  # fmt: skip
    assert dry.code == 0 and dry.folder is None, dry.text
    bounds = [
        (int(requests), int(tokens.replace(",", "")), float(money))
        for requests, tokens, money in re.findall(
            r"(\d+) requests and at most ([\d,]+) tokens and ([\d.]+) CNY", dry.text
        )
    ][:6]  # the plan is printed twice
    bounds[1] = (76, *bounds[1][1:])  # 60 more where answers vary at temperature 0
    result, logged = asked(tmp_path / "run", HONEST, *more)
    assert result.code == 0, result.text
    # The simulator's log is in the order of the phases: 14 that count, 16 on settings, 30 on
    # log-probabilities, 60 at temperature 0, 96 on the seed, then one look, then all.
    parts = (logged[:14], logged[14:30] + logged[60:120], logged[30:60], logged[120:216],
             logged[216:312], logged[216:])  # fmt: skip
    for (requests, tokens, money), part in zip(bounds, parts, strict=True):
        assert len(part) == requests
        used = sum(int(row["prompt_tokens"]) + int(row["completion_tokens"]) for row in part)
        assert used <= tokens
        assert sum(float(row["billed"]) for row in part) <= money


@pytest.mark.slow
def test_a_spent_budget_ends_the_audit_without_a_verdict(tmp_path: Path, reference: Path) -> None:
    result, logged = asked(tmp_path / "run", HONEST, "--reference", reference, "--budget", 0.02,
                         "--fail-on", "identity_differs>0")  # fmt: skip
    assert result.code != 0
    assert sum(float(row["billed"]) for row in logged) <= 0.02
    assert result.folder is not None
    view = look(load(result.folder))
    (one,) = identity.numbers(view)
    assert one.audit is not None and one.audit.why is Why.UNFINISHED
    assert one.audit.verdict is Verdict.NOT_ENOUGH


@pytest.mark.slow
def test_a_resumed_audit_asks_each_question_once(tmp_path: Path, reference: Path) -> None:
    """It is killed in its looks; the resumed run has the verdict of an uninterrupted one."""
    (tmp_path / "p.toml").write_text(HONEST.replace("fixed_s = 0.0", "fixed_s = 0.02"))
    gateway = Simulator(tmp_path / "log.csv", "--profile", tmp_path / "p.toml")
    try:
        folder = killed_in(gateway, tmp_path / "r", "look-12", "--mode", "identity", "--model",
                           MODEL, "--reference", reference)  # fmt: skip
        kept = load(folder).requests.query("outcome == 'ok'")
        more = run("-H", gateway.url, "--resume", folder, results=tmp_path / "elsewhere")
        assert more.code == 0, more.text
        logged = gateway.rows()
    finally:
        gateway.stop()
    answered = {row["request_id"] for row in logged}
    assert 312 < len(kept) < 1176 and set(kept["completion_id"]) <= answered
    assert len(logged) <= 14 + 202 + 960 + 4  # and what was in flight when it was killed
    view = look(load(folder))
    (one,) = identity.numbers(view)
    assert one.audit is not None and one.audit.verdict is Verdict.NOT_SHOWN
    assert one.audit.answered == 960


@pytest.mark.slow
def test_pairs_go_on_where_they_were_killed(tmp_path: Path) -> None:
    """A pair of which one was asked before and one after is not compared, and nothing is paid
    twice on either route."""
    (tmp_path / "p.toml").write_text(HONEST.replace("fixed_s = 0.0", "fixed_s = 0.02"))
    gateway, vendor = (
        Simulator(tmp_path / f"{seed}.csv", "--profile", tmp_path / "p.toml", "--seed", seed)
        for seed in (1, 2)
    )
    env = environment(VENDOR_BASE_URL=vendor.url, VENDOR_API_KEY=CANARY)
    try:
        folder = killed_in(gateway, tmp_path / "r", "look-12", "--mode", "identity", "--model",
                           MODEL, "--against", "vendor", env=env)  # fmt: skip
        more = run("-H", gateway.url, "--resume", folder, results=tmp_path / "elsewhere", env=env)
        assert more.code == 0, more.text
        logged, theirs = gateway.rows(), vendor.rows()
    finally:
        gateway.stop()
        vendor.stop()
    (one,) = identity.numbers(look(load(folder)))
    assert one.audit is not None and one.audit.verdict is Verdict.NOT_SHOWN
    assert one.audit.asked == 960 and 952 <= one.audit.answered <= 960
    assert len(theirs) <= 12 + 600 + 960 + 30 + 96 + 4  # what was in flight is asked again
    settings = sum(test.requests for _, test in one.settings)  # their number depends on answers
    assert len(logged) <= 14 + settings + one.audited.requests + one.weighed.requests + 4


def killed_in(
    gateway: Simulator,
    results: Path,
    phase: str,
    *plan: object,
    env: dict[str, str] | None = None,
) -> Path:
    """The folder of a run that was killed a moment after a phase of that name began."""
    process = subprocess.Popen(
        command("--results", results, "-H", gateway.url, *plan),
        env=env or environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        if any(f"/{phase}/" in path.read_text() for path in results.glob("*/events.jsonl")):
            break
        time.sleep(0.02)
    time.sleep(0.4)
    process.send_signal(signal.SIGKILL)
    process.wait()
    (folder,) = results.iterdir()
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_report_accuses_nobody(tmp_path: Path, reference: Path, lang: str) -> None:
    """Another model's answers "differ", with every reason that fits; no score, no "fake"."""
    profile = HONEST.replace("weights = 1", "weights = 2").replace(
        "[answers]", "[billing]\nhidden_prompt_tokens = 4170\n[answers]"
    )
    prices = tmp_path / "prices.toml"
    prices.write_text(f'currency = "CNY"\n[models."{MODEL}"]\ninput = 1.4\noutput = 4.0\n')
    result, _ = asked(tmp_path / "run", profile, "--reference", reference, "--lang", lang,
                    "--prices", prices, "--fail-on", "identity_differs>0")  # fmt: skip
    assert result.folder is not None and result.code == 1
    failed = {"en": "identity_differs is 2 (fails", "zh": "identity_differs 为 2（要求"}
    assert failed[lang] in result.text
    page = (result.folder / "report.md").read_text(encoding="utf-8")
    texts = {
        "en": ("Answers differ from the reference", "another model or version", "quantisation",
               "Every request carries 4,170 input tokens", "¥0.0058"),
        "zh": ("有差异", "模型或版本不同", "量化", "多 4,170 个输入 token", "¥0.0058"),
    }  # fmt: skip
    for words in texts[lang]:
        assert words.lower() in page.lower()
    for word in ("fake", "fraud", "genuine", "substituted", "score", "掺水", "假冒", "正品"):
        assert word not in page.lower()


@pytest.mark.slow
@pytest.mark.parametrize(("weights", "verdict"), [(1, Verdict.NOT_SHOWN), (2, Verdict.DIFFERS)])
def test_the_second_route_is_the_reference(tmp_path: Path, weights: int, verdict: Verdict) -> None:
    """Both are asked in pairs, also where the vendor calls the model otherwise; the gateway alone
    is judged, each log is whole, and the plan's bounds hold for the vendor, too."""
    (tmp_path / "vendor.toml").write_text(HONEST)
    vendor = Simulator(tmp_path / "vendor.csv", "--profile", tmp_path / "vendor.toml",
                       "--seed", 9)  # fmt: skip
    try:
        profile = HONEST.replace("weights = 1", f"weights = {weights}")
        second = ("--against", "vendor", "--against-model", f"{MODEL}=gpt-4o-2024-11-20")
        env = environment(VENDOR_BASE_URL=vendor.url, VENDOR_API_KEY=CANARY)
        dry = run("-H", "http://127.0.0.1:9/v1", "--mode", "identity", "--model", MODEL, *second,
                  "--dry-run", results=tmp_path / "dry", env=env)  # fmt: skip
        assert dry.code == 0 and not vendor.rows(), dry.text
        result, logged = asked(tmp_path / "run", profile, *second, env=env)
        theirs = vendor.rows()
    finally:
        vendor.stop()
    one = found(result)
    assert one.audit is not None and one.audit.verdict is verdict
    prompts = [[row["prompt_sha256"] for row in log] for log in (logged, theirs)]
    looks = [log[-one.audited.requests :] for log in prompts]
    assert Counter(looks[0]) == Counter(looks[1]), "byte for byte the same"
    assert one.counting.kind is Kind.REFERENCE and one.counting.verdict is Verdict.NOT_SHOWN
    assert len(theirs) == one.enrolling.requests == 12 + 600 + one.audited.requests + 30 + 96
    assert one.audited.requests == (960 if verdict is Verdict.NOT_SHOWN else 96)
    asked_more = sum(test.requests for _, test in one.settings)
    assert len(logged) == 14 + one.audited.requests + one.weighed.requests + asked_more
    bounds = re.findall(r"(\d+) requests and at most ([\d,]+) tokens", dry.text)[2:8]
    parts = (theirs[:12], theirs[12:612], theirs[612:642], theirs[642:738], theirs[738:834],
             theirs[738:])  # fmt: skip
    for (requests, tokens), part in zip(bounds, parts, strict=True):
        used = sum(int(row["prompt_tokens"]) + int(row["completion_tokens"]) for row in part)
        assert len(part) <= int(requests) and used <= int(tokens.replace(",", ""))


def of(one: Identity, which: Setting) -> Honoured:
    return next(each for each, _ in one.settings if each.setting is which)


@pytest.mark.slow
@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize(
    ("more", "differing"),
    [
        ("", set()),
        ('[features]\nstop = "ignored"', {Setting.STOP}),
        ('[features]\nmax_tokens = "ignored"', {Setting.CAP}),
        ('[features]\ntemperature = "ignored"', {Setting.TEMPERATURE}),
        ('[features]\nseed = "ignored"', {Setting.SEED}),
        ('[features]\nstop = "refused"\nseed = "refused"\ntemperature = "refused"', set()),
        ("[billing]\nhidden_prompt_tokens = 50\nhidden_prompt_spread = 3", set()),
        ("[reasoning]\ntokens = 200", set()),
    ],
)
def test_ignored_settings_are_found_and_honoured_ones_are_not(
    tmp_path: Path, reference: Path, known: bool, more: str, differing: set[Setting]
) -> None:
    """What a simulator ignores is found, with a reference and without one, and nothing else is. A
    seed is judged beside a reference alone. Answers at temperature 0 vary a little all the time."""
    profile = PROFILE.format(more=more) + "unsteady = 0.1\n"
    if not known:
        profile = profile.replace("weights = 1", "weights = 5")
    options = ("--reference", reference) if known else ()
    result, _ = asked(tmp_path / "run", profile, *options, "--no-content")
    assert result.folder is not None
    (one,) = identity.numbers(look(load(result.folder)))
    found_here = {each.setting for each, _ in one.settings if each.verdict is Verdict.DIFFERS}
    assert found_here == differing - (set() if known else {Setting.SEED})
    if not more:
        fine = [each.setting for each, _ in one.settings if each.verdict is Verdict.NOT_SHOWN]
        assert fine == [*Setting][: 5 if known else 4]
    if "refused" in more:
        whys = {which: of(one, which).why for which in (Setting.STOP, Setting.TEMPERATURE)}
        assert set(whys.values()) == {WhyNot.REFUSED}


@pytest.mark.slow
def test_replies_to_other_requests_are_found(tmp_path: Path) -> None:
    result, _ = asked(tmp_path / "run", HONEST, faults="cross=1.0")
    one = found(result)
    assert of(one, Setting.CACHE).verdict is Verdict.DIFFERS
    assert one.differing == sum(
        each.verdict is Verdict.DIFFERS and each.setting is not Setting.CACHE
        for each, _ in one.settings
    ) + (one.counting.verdict is Verdict.DIFFERS)


@pytest.mark.slow
def test_settings_that_the_operator_sets_are_not_tested(tmp_path: Path) -> None:
    result, _ = asked(
        tmp_path / "run", HONEST, "--extra-body", '{"temperature": 0.5, "stop": null}'
    )
    assert [each.setting for each, _ in found(result).settings] == [Setting.CAP]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("more", "features", "verdict", "why"),
    [
        ("jitter = 0.02", "", Verdict.NOT_SHOWN, None),
        ("quantised = 0.2", "", Verdict.DIFFERS, None),
        ("quantised = 0.02", "", Verdict.NOT_SHOWN, None),
        ("", 'logprobs = "ignored"', Verdict.NOT_ENOUGH, Likeliest.ABSENT),
        ("", 'logprobs = "refused"', Verdict.NOT_ENOUGH, Likeliest.ABSENT),
    ],
)
def test_log_probabilities_show_differences_that_words_do_not(
    tmp_path: Path, reference: Path, more: str, features: str, verdict: Verdict,
    why: Likeliest | None,
) -> None:  # fmt: skip
    """They find what words do not, and say nothing where there are none."""
    profile = PROFILE.format(more=f"[features]\n{features}" if features else "") + more + "\n"
    result, _ = asked(tmp_path / "run", profile, "--reference", reference, "--no-content")
    assert result.folder is not None
    (one,) = identity.numbers(look(load(result.folder)))
    assert one.weights is not None and one.weighed.requests == 30
    assert (one.weights.verdict, one.weights.why) == (verdict, why)
    assert one.audit is not None and one.audit.verdict is Verdict.NOT_SHOWN
    assert one.differing == (verdict is Verdict.DIFFERS)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("more", "verdict", "cut"),
    [
        ("", Verdict.NOT_SHOWN, False),
        ("[billing]\nhidden_prompt_tokens = 50\nhidden_prompt_spread = 3", None, False),
        ("[tokens]\nreads = 2500", Verdict.DIFFERS, False),
        ('[tokens]\ncontext_window = 2500\n[features]\n"error.context" = "wrong"',
         Verdict.DIFFERS, True),
        ("[tokens]\ncontext_window = 2500", Verdict.NOT_ENOUGH, False),
    ],
)  # fmt: skip
def test_a_truncated_or_unread_prompt_is_found(
    tmp_path: Path, more: str, verdict: Verdict | None, cut: bool
) -> None:
    """One that is cut is found by its count, one that is not read to its end by what is recalled;
    nothing is said where a prompt changes, or is refused. The plan's bound holds."""
    context = ("--identity-context", "2000,4000", "--no-content")
    dry = run("-H", "http://127.0.0.1:9/v1", "--mode", "identity", "--model", MODEL, *context,
              "--dry-run", results=tmp_path / "dry")  # fmt: skip
    bound = re.search(r"length, at most (\d+) requests and at most ([\d,]+) tokens", dry.text)
    assert bound is not None, dry.text
    result, logged = asked(tmp_path / "run", PROFILE.format(more=more), *context)
    assert result.folder is not None
    (one,) = identity.numbers(look(load(result.folder)))
    found_here = {length.size: length for length, _ in one.lengths}
    assert set(found_here) == ({2000, 4000} if verdict is not None else set())
    if verdict is None:
        return
    assert found_here[2000].verdict is Verdict.NOT_SHOWN
    assert (found_here[4000].verdict, found_here[4000].cut) == (verdict, cut)
    assert sum(test.requests for _, test in one.lengths) == int(bound[1])
    used = sum(int(row["prompt_tokens"] or 0) + int(row["completion_tokens"] or 0)
               for row in logged[-28:])  # fmt: skip
    assert used <= int(bound[2].replace(",", ""))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("more", "verdict"),
    [
        ("", Verdict.NOT_SHOWN),
        ("wrong_calls = 0.5", Verdict.DIFFERS),
        ('[features]\n"tool.auto" = "ignored"', Verdict.DIFFERS),
    ],
)
def test_tool_calls_worse_than_the_second_routes_are_found(
    tmp_path: Path, more: str, verdict: Verdict
) -> None:
    """Worse calls than the second route's are found; the plan names what each route is asked."""
    (tmp_path / "vendor.toml").write_text(HONEST)
    vendor = Simulator(tmp_path / "vendor.csv", "--profile", tmp_path / "vendor.toml",
                       "--seed", 9)  # fmt: skip
    try:
        profile = HONEST + more if "=" in more and "[" not in more else PROFILE.format(more=more)
        result, _ = asked(
            tmp_path / "run", profile + "\n", "--against", "vendor", "--identity-tools",
            "--no-content", env=environment(VENDOR_BASE_URL=vendor.url, VENDOR_API_KEY=CANARY),
        )  # fmt: skip
        theirs = vendor.rows()
    finally:
        vendor.stop()
    one = found(result)
    assert "tool calls, on each route 60 requests" in result.text
    assert one.fidelity is not None and one.fidelity[0].verdict is verdict
    assert one.fidelity[1].requests == 60 and len(theirs) == 12 + 600 + 960 + 30 + 96 + 60
    assert one.differing == (verdict is Verdict.DIFFERS)
