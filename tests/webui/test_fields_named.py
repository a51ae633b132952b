"""What is wrong with a start form names its fields, not options of a command line."""

import pytest

from recording.chinese import chinese
from webui.fields import with_labels


@pytest.mark.parametrize(
    ("sentence", "en", "zh"),
    [
        (
            "--model is missing: mode rpm needs the model to load.",
            "“Model” is missing: mode rpm needs the model to load.",
            "缺少“模型”：rpm 模式需要指定加压的模型。",
        ),
        (
            "mode limits sends until it is refused: give --budget or --budget-tokens.",
            "mode limits sends until it is refused: give “Budget” or “Budget tokens”.",
            "limits 模式会一直发送到被拒绝为止：请给出“费用预算”或“token 预算”。",
        ),
        (
            "--slo is missing: mode capacity needs objectives to search by.",
            "--slo is missing: mode capacity needs objectives to search by.",
            "缺少 --slo：capacity 模式需要目标作为搜索依据。",
        ),
    ],
)
def test_an_option_with_a_field_is_called_as_the_field(sentence: str, en: str, zh: str) -> None:
    assert with_labels(sentence, "en") == en
    assert with_labels(chinese(sentence), "zh") == zh
