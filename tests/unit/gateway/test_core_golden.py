"""One folder per condition: a site, a recording, and every event that comes of it, in words."""

import io
from pathlib import Path

import orjson
import pytest

from alerting.model.rule import Kind
from gateway.load import load
from gateway.record import EventLog
from gateway.replay import replay
from gateway.why import why

CASES = sorted((Path(__file__).parents[2] / "golden" / "core").iterdir())


def told(case: Path) -> str:
    """Replay a case; a line for each event, with its sentence in both languages; of units where tiers are the case."""
    site = load(case / "site.toml", environ={})
    file = io.BytesIO()
    replay(site, case / "recording.csv", EventLog(file, "golden"))
    lines = []
    for raw in file.getvalue().splitlines():
        event = orjson.loads(raw)
        if not event["alarm"] and not site.tiering.lines:
            continue
        cause = {**event["cause"], "tier": event["tier"], "unit": event["unit"]}
        time = event["time"].replace(".000000000Z", "Z")
        lines.append(f"{time} {event['event']} {event['tag'] or event['unit']} {event['group']} {event['state']}")
        lines += [f"    {why(cause, 'en')}", f"    {why(cause, 'zh')}"]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_events(case: Path) -> None:
    assert told(case) == (case / "expected.txt").read_text("utf-8")


def test_each_condition_has_a_case() -> None:
    kinds = {rule.kind for case in CASES for rule in load(case / "site.toml", environ={}).rules}

    assert kinds >= set(Kind), set(Kind) - kinds
