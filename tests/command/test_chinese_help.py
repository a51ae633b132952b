"""`--help` in Chinese: every text of every command, and none that is gone."""

import argparse
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import fields

import pytest

from analysis.__main__ import parser as of_analysis
from recording.chinese.help import HELP
from recording.chinese.parser import Parser, into_chinese, wrapped
from settings import chinese
from settings.option import GROUPS
from settings.options import Options
from simulator.__main__ import parser as of_simulator
from simulator.faults import FAULTS
from webui.fields import BY_HAND
from weighbridge import help

HAN = re.compile(r"[\u4e00-\u9fff]")


def parsers() -> Iterator[argparse.ArgumentParser]:
    """Every parser of ours with those of its commands, made anew."""
    for parser in (of_analysis("weighbridge"), of_simulator()):
        yield parser
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                yield from action.choices.values()


def texts() -> set[str]:
    """What `--help` says in English, apart from the options of a run and the modes."""
    all_texts = {*FAULTS.values(), *help.TOOLS.values(), *help.WAYS.values()}
    all_texts |= {
        help.PURPOSE,
        help.DEMO,
        help.HOST,
        help.LOCUSTS,
        "Modes",
        "Commands",
        "for example: ",
    }
    for parser in parsers():
        all_texts.add(parser.description or "")
        for group in parser._action_groups:
            all_texts |= {group.title or "", group.description or ""}
        for action in parser._actions:
            all_texts.add(action.help or "")
            if isinstance(action, argparse._SubParsersAction):
                all_texts |= {listed.help or "" for listed in action._choices_actions}
    return {text for text in all_texts if text and not text.startswith("NAME is one of: ")}


def test_every_text_of_the_help_is_there_in_chinese_and_none_that_is_gone() -> None:
    assert texts() == set(HELP)
    names = re.compile(r"40\d, \w+")  # a status and the gateway's own word for it
    assert all(HAN.search(said) or names.fullmatch(text) for text, said in HELP.items())


def test_a_placeholder_of_argparse_stands_in_both_languages() -> None:
    for text, said in HELP.items():
        assert re.findall(r"%\(\w+\)s|%%", text) == re.findall(r"%\(\w+\)s|%%", said), text


def test_every_option_and_group_is_there_in_chinese_and_none_that_is_gone() -> None:
    assert set(chinese.OPTIONS) == {item.name for item in fields(Options)} | {*BY_HAND}
    assert set(chinese.GROUPS) == set(GROUPS)
    for label, said in (*chinese.OPTIONS.values(), *chinese.GROUPS.values()):
        assert label and HAN.search(label + said)


def test_a_chinese_page_of_help_is_chinese_throughout() -> None:
    """In what argparse writes itself, too; names, values and commands stay."""
    for parser in parsers():
        into_chinese(parser)
        page = parser.format_help()
        assert "用法：" in page and "选项：" in page
        assert not re.search(r"^usage|^options|show this|default:", page, re.M)


def test_the_simulators_faults_are_listed_in_chinese() -> None:
    page = help.Help("zh").simulator(of_simulator(), FAULTS)
    assert all(name in page for name in FAULTS) and "one of" not in page


def test_a_mistake_is_one_sentence_in_the_language_of_the_help(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for zh, said in (
        (False, "weighbridge: the following arguments are required: RUN: see x --help.\n"),
        (True, "weighbridge: 缺少参数 RUN：用法见 x --help。\n"),
    ):
        parser = Parser(prog="x")
        parser.add_argument("run", metavar="RUN")
        if zh:
            into_chinese(parser)
        with pytest.raises(SystemExit) as ended:
            parser.parse_args([])
        assert ended.value.code == 2
        assert capsys.readouterr().err == said


@pytest.mark.parametrize("columns", [12, 25, 60])
def test_a_wrapped_text_keeps_its_letters_and_its_width(columns: int) -> None:
    """A line begins with no closing mark; only a word that is longer than a line exceeds it."""
    text = HELP[help.LOCUSTS] + "（如 success_rate<0.99）。"
    lines = wrapped(text, columns)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    for line in lines:
        wide = sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in line)
        assert wide <= columns or not re.search(r"[\u4e00-\u9fff]{2}| ", line)
        assert line[0] not in "，。；：、）"
