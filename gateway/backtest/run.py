"""Run a backtest: a recording under one configuration or two, to figures as plain data.

Flow: site, recording, labels -> [carry, score, advise, carry the advised rules] -> result
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from alerting.model.rule import LIMITS
from gateway.backtest import advice as tuning
from gateway.backtest.ahead import BYTES_WORTH, steps_ahead
from gateway.backtest.carry import Carried, Carrier
from gateway.backtest.labels import Label, covered_ns, read_labels
from gateway.backtest.profile import Profile
from gateway.backtest.score import DAY_NS, Heard, score
from gateway.config import Site
from gateway.kernels import TAGS_MIN, choose
from gateway.record import iso_ns
from gateway.recording import RecordingError

FORMAT = "fengsui-backtest/1"
PICTURE_POINTS = 240
PICTURES_MAX = 24  # Tags with advice that get a picture in the report.

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be tried.

    Attributes:
        with_advice: Also carry the advised rules, which takes about the same time again.
    """

    recording: Path
    labels: Path | None = None
    with_advice: bool = True


def quiet(_pass: str, _share: float) -> None:
    """Show no progress."""


def backtest(site: Site, asked: Asked, progress: Progress = quiet) -> dict[str, Any]:
    """Try a site's rules on a recording.

    Args:
        progress: Told the name of the pass (``rules``, ``advice``) and how much of the file it has read, 0 to 1.

    Raises:
        RecordingError: The recording or the labels cannot be read; one sentence.
        OSError: A file cannot be opened.
    """
    with asked.recording.open("rb") as file:
        if file.read(1) == b"{":
            raise RecordingError(
                f"{asked.recording}: this is a recording of `fengsui run --record`; a backtest needs CSV or Parquet, "
                "`fengsui replay` carries this one."
            )
    labels = [] if asked.labels is None else read_labels(asked.labels, site.tags)
    profile = Profile(site.tags, labels, is_counting_only=not asked.with_advice)
    heard, done = _carry(site, asked.recording, profile, lambda share: progress("rules", share))
    span = (done.start_ns, done.end_ns)
    result = _head(site, asked, labels, done, profile) | score(heard, labels, span)
    if asked.with_advice:
        advice = tuning.advise(site.rules, profile, heard, labels, done.end_ns)
        load = None
        if any(each.proposed is not None for each in advice):
            advised = tuning.apply(site.rules, advice)
            again, _ = _carry(
                replace(site, rules=advised), asked.recording, None, lambda share: progress("advice", share)
            )
            tuning.expect(advice, advised, again)
            found = score(again, labels, span)
            load = {"load": found["load"], "detection": found["detection"]}
        result["advice"] = [each.as_json() for each in advice]
        result["advice_applied"] = load
        result["pictures"] = _pictures(site, profile, advice)
    return result


def compare(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Give the differences of two results on the same recording, second less first, by figure and by rule."""

    def less(one: Any, other: Any) -> Any:  # noqa: ANN401  # figures of any kind
        numbers = (int, float)
        if isinstance(one, bool) or not isinstance(one, numbers) or not isinstance(other, numbers):
            return None
        return other - one

    rules = [{each["rule"]: each for each in result["rules"]} for result in (first, second)]
    both = [name for name in rules[0] if name in rules[1]]
    figures = (
        *("alarms", "false_alarms", "missed", "chattering", "fleeting", "standing", "time_in_alarm_s"),
        *("delay_s_median", "delay_s_worst"),
    )
    changed = []
    for name in both:
        one, other = rules[0][name], rules[1][name]
        differences = {figure: less(one[figure], other[figure]) for figure in figures}
        settings = {
            field: [one[field], other[field]]
            for field in ("setpoint", "deadband", "on_delay_s", "off_delay_s", "tier")
            if one[field] != other[field]
        }
        if settings or any(differences.values()):
            changed.append({"rule": name, "settings": settings, **differences})
    return {
        part: {
            figure: less(value, second[part][figure]) for figure, value in first[part].items() if figure != "by_tier"
        }
        for part in ("detection", "load")
    } | {
        "rules": changed,
        "rules_only_first": [name for name in rules[0] if name not in rules[1]],
        "rules_only_second": [name for name in rules[1] if name not in rules[0]],
    }


def _carry(
    site: Site, recording: Path, profile: Profile | None, progress: Callable[[float], None]
) -> tuple[Heard, Carried]:
    heard = Heard(site.rules)
    # On a small recording a compiler takes longer to load than it saves.
    backend = choose(os.environ, TAGS_MIN if recording.stat().st_size >= BYTES_WORTH else 0)
    carrier = Carrier(site, heard.tell, heard.hear, backend)
    begun = 0.0
    progress(begun)  # So that something is seen before the first chunk is read.
    for chunk in steps_ahead(recording, site.tags):
        begins, ends = begun, chunk.share
        carrier.take(chunk, lambda part, at=begins, span=ends - begins: progress(at + span * part))  # type: ignore[misc]
        if profile is not None:
            profile.take(chunk)
        progress(ends)
        begun = ends
    # No hour of silence after the end as in replay: that the file ends is no alarm of the plant.
    return heard, carrier.done


def _head(site: Site, asked: Asked, labels: list[Label], done: Carried, profile: Profile) -> dict[str, Any]:
    span = (done.start_ns, done.end_ns)
    derived = {each.tag for each in site.derived}  # A file need not have what is computed.
    return {
        "format": FORMAT,
        "site": site.id,
        "revision": site.revision,
        "recording": asked.recording.name,
        "from": iso_ns(done.start_ns),
        "to": iso_ns(done.end_ns),
        "days": (span[1] - span[0]) / DAY_NS,
        "normal_days": (span[1] - span[0] - covered_ns(labels, span)) / DAY_NS,
        "samples": done.samples,
        "steps": done.steps,
        "refused": done.refused,
        "tags": len(site.tags),
        "tags_without_samples": [
            name
            for name, n in zip(site.tags.names, profile.counts.tolist(), strict=True)
            if not n and name not in derived
        ],
    }


def _pictures(site: Site, profile: Profile, advice: list[tuning.Advice]) -> list[dict[str, Any]]:
    """Give the course of the tags that have advice, thinned, and their limits now and as advised."""
    found = []
    for name in list(dict.fromkeys(each.tag for each in advice))[:PICTURES_MAX]:
        row = site.tags.row_of[name]
        time_ns, least, greatest = profile.picture(row, PICTURE_POINTS)
        mine = [site.rules[k] for k in range(int(site.rules.first[row]), int(site.rules.first[row + 1]))]
        found.append(
            {
                "tag": name,
                "eu": site.tags[row].eu,
                "time_s": [int(t // 1_000_000_000) for t in time_ns],
                "least": [_or_none(v) for v in least.tolist()],
                "greatest": [_or_none(v) for v in greatest.tolist()],
                "limits": [{"kind": rule.kind.name, "setpoint": rule.setpoint} for rule in mine if rule.kind in LIMITS],
                "advised": [
                    {"kind": each.kind.name, "setpoint": each.proposed}
                    for each in advice
                    if each.tag == name and each.field == "setpoint" and each.proposed is not None
                ],
                "stops": [each.stop for each in advice if each.tag == name and each.stop is not None],
            }
        )
    return found


def _or_none(value: float) -> float | None:
    return value if value == value else None  # noqa: PLR0124  # NaN is not itself
