"""What is known of a model before anything is sent."""

from compat.known import survey_of


def test_a_wrong_key_is_not_tried_where_a_header_may_hold_the_right_one() -> None:
    """It would be sent beside the key that counts, be served, and a healthy gateway be accused."""

    def keyed(headers: bool) -> bool:
        survey = survey_of(
            "m", run_id="r", checks="", context_tokens=0, auth="auto", headers=headers
        )
        return survey.setting.keyed

    assert (keyed(False), keyed(True)) == (True, False)
