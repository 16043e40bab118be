"""Result: a run's files: verdicts as JSON, event log, recordings, labels, report.

Flow: Played -> [write] -> folder
"""

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from gateway.record import iso_ns
from gateway.simulate.play import Played
from gateway.simulate.report import page, picture
from simulators.instrument.fault import labels

NS = 1_000_000_000
FILES: Final[Mapping[str, str]] = {
    "result.json": "verdicts, milestones, pace, time by stage, books of the road",
    "events.jsonl": "the event log: the same bytes for the same scenario, site and seed",
    "recording.jsonl": "what the core met, for fengsui replay",
    "samples.csv": "what the instruments sent, for fengsui replay and backtest",
    "labels.csv": "what was really wrong and when, for fengsui backtest --labels",
    "report.html": "the report, in Chinese and English, complete in itself",
    "picture.svg": "its pictures alone",
}


def facts(played: Played) -> dict[str, Any]:
    """Give a run as JSON values."""
    scenario = played.scenario
    return {
        "name": scenario.name,
        "title": dict(scenario.title),
        "plant": scenario.kind.name,
        "seed": played.seed,
        "passed": played.is_passed,
        "expectations": [
            {
                "id": verdict.id,
                "see": each.see.value,
                "say": dict(each.say),
                "passed": verdict.is_met,
                "seen_s": verdict.seen_s,
                "slack_s": verdict.slack_s,
                "why": dict(verdict.why),
            }
            for each, verdict in zip(scenario.expectations, played.verdicts, strict=True)
        ],
        "milestones": dict(sorted(played.seen.milestones.items(), key=lambda found: found[1])),
        "scans": played.scans,
        "samples": played.samples,
        "events": len(played.seen.events),
        "notices": len(played.seen.notices),
        "lasts_s": scenario.lasts_s,
        "pace": round(played.pace, 1),
        "spent_s": {stage: round(seconds, 3) for stage, seconds in played.spent_s.items()},
        "balances": dict(played.balances),
    }


def write(played: Played, folder: Path) -> None:
    """Write a run's files into its folder; ``recording.jsonl`` is written while it runs.

    Raises:
        OSError: A file cannot be written.
    """
    told = facts(played)
    (folder / "result.json").write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    (folder / "events.jsonl").write_bytes(played.log)
    (folder / "samples.csv").write_text(samples_csv(played), encoding="utf-8")
    (folder / "labels.csv").write_text(labels_csv(played), encoding="utf-8")
    (folder / "report.html").write_text(page(played, told), encoding="utf-8")
    (folder / "picture.svg").write_text(picture(played), encoding="utf-8")


def samples_csv(played: Played) -> str:
    """Give what was sent as a wide recording, at the time of sampling; an empty cell is no sample.

    Wrong time stamps are not in it: a file of samples has one time a line. They are in ``recording.jsonl``.
    """
    lines = ["time," + ",".join(played.tags)]
    for time_s, sent in zip(played.trace.times_s, played.trace.sent, strict=True):
        if np.isnan(sent).all():
            continue
        at_ns = played.scenario.begins_ns + round(time_s * NS)
        lines.append(f"{iso_ns(at_ns)}," + ",".join("" if np.isnan(v) else repr(float(v)) for v in sent))
    return "\n".join(lines) + "\n"


def labels_csv(played: Played) -> str:
    """Give what was wrong as labels: faults of instruments, with their tags; milestones of the plant, without."""
    file = io.StringIO()
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(("start", "end", "tag", "name"))
    scenario = played.scenario
    known = set(played.tags)

    def at(time_s: float) -> str:
        return iso_ns(scenario.begins_ns + round(time_s * NS))

    for from_s, until_s, target, name in labels(scenario.faults, scenario.lasts_s):
        tag = target if target in known else ""
        rows.writerow((at(from_s), at(until_s), tag, name if tag else f"{target}: {name}"))
    for name, time_s in sorted(played.seen.milestones.items(), key=lambda found: found[1]):
        rows.writerow((at(time_s), at(time_s), "", name))
    return file.getvalue()
