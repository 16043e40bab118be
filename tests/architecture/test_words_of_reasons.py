"""What is counted has a word on the page; what is printed of alarms is called as there; in both languages."""

import re
from pathlib import Path

import pytest

from alerting.model.hazard_policy import CONDITIONS
from alerting.push.words import ALARM_STATES, condition_said, state_said

ROOT = Path(__file__).parents[2]
COUNTED = re.compile(r"""(?:refuse|_refuse|count)\("([a-z_]+)"|failures\["([a-z_]+)"\]""")
FOLDERS = ("edge/collect", "gateway/nodes")


def reasons() -> set[str]:
    texts = (path.read_text("utf-8") for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
    return {one or other for text in texts for one, other in COUNTED.findall(text)}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_each_reason_has_a_word(language: str) -> None:
    text = (ROOT / "dashboards/web/src/words" / language / "flow.ts").read_text("utf-8")
    flow = text[text.rindex("reasons: {", 0, text.index('"stray_bytes"')) :]  # Those of the flow page.
    words = set(re.findall(r'^    "([^"]+)": "', flow[: flow.index("queueNames")], re.MULTILINE))
    found = reasons()
    assert {"unborn", "publication_lost", "node_repeat", "overflow"} <= found
    assert {one for one in found if not words & {one, f"caller_{one}"}} == set()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_conditions_and_states_are_printed_as_the_page_says_them(language: str) -> None:
    text = (ROOT / "dashboards/web/src/words" / language / "alarm.ts").read_text("utf-8")
    assert words_of(text, "condition") == {one: condition_said(one, language) for one in CONDITIONS}
    assert words_of(text, "state") == {one: state_said(one, language) for one in ALARM_STATES}


def words_of(text: str, group: str) -> dict[str, str]:
    part = text[text.index(f"export const {group}") :]
    return dict(re.findall(r'^  ([A-Z_]+): "([^"]+)"', part[: part.index("\n};")], re.MULTILINE))
