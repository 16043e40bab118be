"""Every reason that a collector or the listener of nodes counts has a word on the page, in both languages."""

import re
from pathlib import Path

import pytest

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
