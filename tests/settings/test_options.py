"""The operator's options: one table, and a sentence for every error."""

import argparse
import json
import re
from dataclasses import Field, fields, replace
from typing import Any

import pytest

from loadshapes import modes
from loadshapes.modes import MODES, PARTS
from recording.errors import OperatorError
from settings.command_line import add_arguments, answer, seconds_of
from settings.known_modes import known
from settings.option import GROUPS, choices, foreign, readers
from settings.option_faults import faults
from settings.options import Options, as_dict, as_kept
from settings.resume import recalled

SOUND = Options(mode="rpm", model="m", target="60", run_id="r", task_id_prefix="p")


class PlainParser:
    """argparse's parser, without what Locust's parser adds to it."""

    def __init__(self) -> None:
        self.argparse = argparse.ArgumentParser()
        self.variables: dict[str, str] = {}

    def add_argument(
        self, *names: str, env_var: str, include_in_web_ui: bool = True, **kwargs: Any
    ) -> None:
        self.variables[names[0]] = env_var
        self.argparse.add_argument(*names, **kwargs)


@pytest.fixture
def parser() -> PlainParser:
    plain = PlainParser()
    add_arguments(Options, plain)
    return plain


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"mode": ""}, "--mode is missing"),
        ({"mode": "rpn"}, "--mode rpn is unknown"),
        ({"model": ""}, "--model is missing: mode rpm needs"),
        (
            {"model": ""},
            "to load. For example, give --model gpt-5.4-nano --target 600 --duration 20.",
        ),
        ({"model": " , "}, "--model is missing: mode rpm needs"),
        ({"target": ""}, "--target is missing: mode rpm needs a target RPM"),
        ({"mode": "tpm", "target": ""}, "--target is missing: mode tpm needs a target TPM"),
        ({"target": "0"}, "--target must be above 0, not 0"),
        ({"target": "-5"}, "--target must be above 0, not -5"),
        ({"target": "600.5"}, "--target takes whole numbers"),
        ({"target": "many"}, "--target takes whole numbers separated by commas, not 'many'"),
        ({"target": "60,60"}, "planned twice"),
        ({"model": "m,m"}, "planned twice"),
        ({"duration": 0.0}, "--duration must be above 0, not 0"),
        ({"duration": -1.0}, "--duration must be above 0, not -1"),
        ({"duration": float("nan")}, "--duration must be above 0"),
        ({"timeout": 0.0}, "--timeout must be above 0"),
        ({"connect_timeout": 0.0}, "--connect-timeout must be above 0"),
        ({"approx_prompt_tokens": 0}, "--approx-prompt-tokens must be above 0"),
        ({"max_workers": 0}, "--max-workers must be above 0"),
        ({"max_workers": -3}, "--max-workers must be above 0, not -3"),
        ({"max_tokens": -1}, "--max-tokens must be at least 0"),
        ({"mode": "cache", "repeat": 0}, "--repeat must be above 0"),
        ({"mode": "cache", "prefix_tokens": 0}, "--prefix-tokens must be above 0"),
        ({"mode": "ladder", "steps": ""}, "--steps is empty"),
        ({"mode": "ladder", "steps": "1,x"}, "--steps takes whole numbers"),
        ({"mode": "ladder", "steps": "1,0"}, "--steps must be above 0"),
        ({"mode": "ladder", "steps": "5,5"}, "planned twice"),
        ({"step_pause": -1.0}, "--step-pause must be at least 0"),
        ({"hold": -1.0}, "--hold must be at least 0"),
        ({"stop_error_rate": 0.0}, "--stop-error-rate must be above 0 and at most 1"),
        ({"stop_error_rate": 1.5}, "--stop-error-rate must be above 0 and at most 1"),
        ({"stop_window": 0}, "--stop-window must be above 0"),
        ({"stop_rule": "perhaps"}, "--stop-rule perhaps is unknown: use on or off"),
        ({"connections": "hot"}, "--connections hot is unknown: use warm or cold"),
        ({"cache_control": "x"}, "--cache-control x is unknown"),
        ({"cache_pairs": -1}, "--cache-pairs must be at least 0"),
        ({"mode": "cache", "cache_gaps": "1,x"}, "--cache-gaps takes whole numbers"),
        ({"mode": "cache", "cache_gaps": "0"}, "--cache-gaps must be above 0"),
        ({"mode": "cache", "cache_gaps": "60,60"}, "planned twice"),
        ({"lang": "fr"}, "--lang fr is unknown: use en or zh"),
        ({"tpm_plan": "x"}, "--tpm-plan x is unknown"),
        ({"fail_on": "latency>1"}, "--fail-on latency is unknown: use success_rate"),
        ({"fail_on": "p95_s>>1"}, "is not a condition"),
        ({"fail_on": "attainment<1"}, "give the objectives with --slo"),
        ({"slo": "no/such.toml"}, "--slo no/such.toml cannot be read (No such file"),
        ({"run_id": "../../etc"}, "--run-id names a folder"),
        ({"run_id": ".."}, "--run-id names a folder"),
        ({"model": "caf\udce9"}, "--model contains bytes that are not UTF-8 text"),
        ({"results": "caf\udce9"}, "--results contains bytes that are not UTF-8 text"),
        ({"run_id": "a b"}, "--run-id names a folder"),
    ],
)
def test_a_faulty_option_is_one_sentence(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(OperatorError) as caught:
        modes.plan(replace(SOUND, **changes))
    assert says in str(caught.value)
    assert str(caught.value).endswith(".")


def test_all_faulty_options_are_reported_at_once() -> None:
    faulty = replace(SOUND, mode="x", duration=0.0, timeout=-1.0, lang="fr", run_id="/")
    sentences = list(faults(faulty))
    assert len(sentences) == 5
    with pytest.raises(OperatorError) as caught:
        modes.plan(faulty)
    assert all(sentence in str(caught.value) for sentence in sentences)


def test_sound_options_have_no_fault() -> None:
    assert list(faults(SOUND)) == []


def test_an_empty_command_line_gives_the_defaults(parser: PlainParser) -> None:
    assert Options.of(parser.argparse.parse_args([])) == Options()


def test_a_parsed_command_line_becomes_the_options(parser: PlainParser) -> None:
    line = "--mode tpm --model a,b --target 5,6 --duration 7 --stream --max-tokens 3 --lang zh"
    options = Options.of(parser.argparse.parse_args(line.split()))
    assert options == Options(
        mode="tpm", model="a,b", target="5,6", duration=7.0, stream=True, max_tokens=3, lang="zh"
    )
    assert options.models == ("a", "b")
    assert options.targets == (5, 6)


def test_every_option_can_be_set_on_a_command_line(parser: PlainParser) -> None:
    """Each is set to something other than its default, and read back."""
    line, expected = [], {}
    for item in fields(Options):
        other_choices = [c for c in choices(item) if c != item.default]
        if isinstance(item.default, bool):
            line.append("--" + item.name.replace("_", "-"))
            expected[item.name] = True
            continue
        if other_choices:
            value: Any = other_choices[-1]
        elif isinstance(item.default, int | float):
            value = item.default + 3
        elif choices(item):
            continue  # one choice only, and it is the default
        else:
            value = "other"
        line.append(f"--{item.name.replace('_', '-')}={value}")
        expected[item.name] = value
    assert as_dict(Options.of(parser.argparse.parse_args(line))) == {
        **as_dict(Options()),
        **expected,
    }


def test_the_seeds_options_keep_their_names_and_defaults(parser: PlainParser) -> None:
    """Except run id, prefix and output, which named one run of the article's; ours are made
    anew.
    """
    namespace = parser.argparse.parse_args(["--mode", "rpm", "--model", "m", "--target", "600"])
    seed = {"duration": 60, "max_workers": 200, "timeout": 45, "approx_prompt_tokens": 4000}
    assert {name: getattr(namespace, name) for name in seed} == seed
    assert {"run_id", "task_id_prefix", "output"} <= set(vars(namespace))
    planned = modes.plan(Options.of(namespace)).phases
    assert planned[0].max_tokens == 16


def test_every_option_has_an_environment_variable_of_its_own(parser: PlainParser) -> None:
    assert parser.variables["--max-workers"] == "WEIGHBRIDGE_MAX_WORKERS"
    assert len(set(parser.variables.values())) == len(fields(Options))


def test_every_option_has_help_and_a_typed_default() -> None:
    for item in fields(Options):
        assert item.metadata["help"], item.name
        assert item.type is type(item.default), item.name


def test_no_option_takes_a_key() -> None:
    """Options are sent to workers and written to the manifest; keys stay in the environment."""
    named = {item.name for item in fields(Options) if re.search("key|secret|token$", item.name)}
    programs_and_a_path = {"key_command", "against_key_command", "client_key"}
    assert named == programs_and_a_path


def test_options_are_plain_json() -> None:
    assert Options(**json.loads(json.dumps(as_dict(SOUND)))) == SOUND


@pytest.mark.parametrize(("grace", "expected"), [(-1.0, 45.0), (0.0, 0.0), (3.0, 3.0)])
def test_grace_is_the_timeout_unless_given(grace: float, expected: float) -> None:
    assert replace(SOUND, grace=grace).grace_s == expected


def test_the_options_know_the_registered_modes() -> None:
    assert set(known()) == set(MODES)


SAID = replace(SOUND, mode="tools", tools_prompt="who is ill?", image_text="Mr Li", no_content=True)


def test_no_content_keeps_prompts_out_of_the_manifest() -> None:
    manifest_options = as_kept(SAID)
    assert "ill" not in str(manifest_options) and "Li" not in str(manifest_options)
    unsaid = {"tools_prompt": SAID.tools_prompt, "image_text": SAID.image_text}
    assert manifest_options | unsaid == as_dict(SAID), "all else is there"
    aloud = replace(SAID, no_content=False)
    assert as_kept(aloud) == as_dict(aloud)


def test_a_resumed_run_needs_the_withheld_prompts_again() -> None:
    """The placeholder is never sent as a prompt:

    the operator gives the text, or is asked for it.
    """
    again = Options(tools_prompt="who is ill?", image_text="Mr Li", resume="results/r", seed=7)
    assert recalled(as_kept(SAID), again) == SAID
    with pytest.raises(OperatorError, match="--tools-prompt out of the files: give it again"):
        recalled(as_kept(SAID), replace(again, tools_prompt=""))
    with_content = replace(SAID, no_content=False)
    assert recalled(as_kept(with_content), Options()) == with_content


GIVEN: dict[type, list[Any]] = {str: ["other"], int: [7, 77777], float: [0.7, 77.0], bool: [True]}


FOR_MODES = [item for item in fields(Options) if item.name not in ("mode", "resume")]


@pytest.mark.parametrize("item", FOR_MODES, ids=lambda item: item.name)
@pytest.mark.parametrize("mode", MODES)
def test_an_option_is_refused_with_a_mode_that_does_not_read_it(
    item: Field[Any], mode: str
) -> None:
    value = next(value for value in GIVEN[type(item.default)] if value != item.default)
    options = replace(Options(mode=mode), **{item.name: value})
    sentences = list(foreign(options))
    if mode in readers(item):
        assert sentences == []
    else:
        (sentence,) = sentences
        flag = f"--{item.name.replace('_', '-')}"
        if mode in item.metadata["not_modes"]:
            assert sentence == f"{flag} does nothing with --mode {mode}; remove it."
            return
        assert sentence.startswith(f"{flag} works only with --mode ")
        assert sentence.endswith("; remove it.")
        assert mode not in sentence.split("--mode")[1].removesuffix("; remove it.").split()


def test_an_option_of_another_mode_is_refused_with_the_modes_that_read_it() -> None:
    mixed = replace(SOUND, hold=5.0, search="concurrency")
    assert list(foreign(mixed)) == [
        "--hold works only with --mode ladder or full; remove it.",
        "--search works only with --mode capacity or soak; remove it.",
    ]


def test_mode_full_reads_the_options_of_its_parts() -> None:
    phases = MODES["full"].plan(replace(SOUND, mode="full", target="", model=""))
    assert {phase.mode for phase in phases} == {*PARTS, "calibration"}
    for item in fields(Options):
        if item.metadata["in_full"] and "full" not in item.metadata["modes"]:
            assert ("full" in readers(item)) == bool(set(readers(item)) & set(PARTS)), item.name


@pytest.mark.parametrize(
    ("text", "expected"),
    [("90", 90.0), ("0.5", 0.5), ("-1", -1.0), ("90s", 90.0), ("1m", 60.0), ("1h", 3600.0),
     ("1h30m", 5400.0), ("500ms", 0.5), ("1m0.5s", 60.5), ("1e3", 1000.0)],
)  # fmt: skip
def test_a_duration_is_in_seconds_or_has_units(text: str, expected: float) -> None:
    assert seconds_of(text) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["", "m", "1 minute", "1d", "s1", "1m-5s", "1:30", "1..5s"])
def test_a_malformed_duration_is_none(text: str) -> None:
    with pytest.raises(ValueError):
        seconds_of(text)


def test_every_option_is_in_a_group() -> None:
    assert {item.metadata["group"] for item in fields(Options)} == set(GROUPS)


OURS = ["--" + item.name.replace("_", "-") for item in fields(Options)]
LOCUSTS = ["--headless", "--tls-key", "--users", "--json"]


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        ("unrecognized arguments: --targt=600", "--targt is not an option: did you mean --target?"),
        ("unrecognized arguments: --stpes 5 --x",
         "--stpes is not an option: did you mean --steps?"),
        ("unrecognized arguments: --headles",
         "--headles is not an option: did you mean --headless?"),
        ("unrecognized arguments: --zzzz", "--zzzz is not an option: `weighbridge --help` and "
         "docs/reference/options.md list them."),
        ("argument --repeat: expected one argument",
         "--repeat needs a value: write it after --repeat, or as --repeat=VALUE."),
        ("argument --repeat: takes a whole number, not 'x'",
         "--repeat takes a whole number, not 'x'."),
        ("argument -u/--users: invalid int value: 'x'", "-u: invalid int value: 'x'."),
        ("Unexpected value for WEIGHBRIDGE_STREAM: 'x'.",
         "Unexpected value for WEIGHBRIDGE_STREAM: 'x'."),
    ],
)  # fmt: skip
def test_an_unknown_option_is_answered_with_our_nearest_one(message: str, sentence: str) -> None:
    assert answer(message, OURS + LOCUSTS) == sentence


def test_an_option_of_another_tool_is_answered_with_ours() -> None:
    sentence = answer("unrecognized arguments: --api-key sk-1", OURS + LOCUSTS)
    assert "OPENAI_API_KEY" in sentence and "sk-1" not in sentence and "--tls-key" not in sentence


def test_an_unknown_mode_is_answered_with_the_nearest_one() -> None:
    (sentence, *_) = faults(Options(mode="prm", model="m"))
    assert sentence.startswith("--mode prm is unknown: did you mean rpm? Or use one of smoke, ")
    assert "''" not in sentence


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("--duration soon", "--duration takes a number of seconds, or a duration like 90s"),
        ("--repeat 1.5", "--repeat takes a whole number, not '1.5'"),
        ("--speed fast", "--speed takes a number, not 'fast'"),
    ],
)
def test_a_value_of_the_wrong_type_is_one_sentence_with_its_option(
    parser: PlainParser, line: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed: list[str] = []

    def error(message: str) -> None:
        printed.append(answer(message, OURS))
        raise SystemExit(2)

    monkeypatch.setattr(parser.argparse, "error", error)
    with pytest.raises(SystemExit):
        parser.argparse.parse_args(line.split())
    assert printed[0].startswith(says)


def test_no_help_text_repeats_itself() -> None:
    """A careless replacement once put the same word thirty times at the beginning of a text."""
    for item in fields(Options):
        assert not re.search(r"\b([a-z]+)\W+\1\b", item.metadata["help"]), item.name
