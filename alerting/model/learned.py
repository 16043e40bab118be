"""Learned: what ``fengsui learn`` found in a site's own history, and for which tags and rules it was found.

Flow: recording -> learn -> [Learned] -> artefact file -> [learn] of the site -> rules
Why: a threshold or a model belongs to the tags, rules and settings it was learnt with; with others it means nothing.
Never: applied to a changed tag list or a changed rule; the two digests tell.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from alerting.model.rule import Kind, Rule
from edge.model import Tag

FORMAT = "fengsui-learned"
VERSION = 1  # Rises with every change of meaning; an artefact of another version is refused, never guessed at.


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """What was learnt for one rule.

    Attributes:
        rule: Rule id.
        kind: Name of its kind, ``DRIFT`` or ``TREND``.
        shape: Digest of what shapes its statistic (``digest_of_shape``).
        value: The threshold: of DRIFT the setpoint, σ; of TREND the horizon, s. None where ``refused`` says why not.
            The quiet end of the interval unless the middle was asked for.
        low, high: Ends of its interval of 80 %, same unit; None where there is no value.
        now: What the configuration says at present, or nobody's default where it leaves it to an artefact.
        days: Judged time that this is known from, days.
        peaks: Independent exceedances that the tail was fitted to.
        tail: Shape of the fitted tail ξ; 0 falls exponentially.
        alarms_now, alarms_then: Times that the statistic passed the present and the learnt threshold in the recording.
        refused: Why no threshold can be given, one sentence by language; empty where there is one.
    """

    rule: str
    kind: str
    shape: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    now: float | None = None
    days: float = 0.0
    peaks: int = 0
    tail: float = 0.0
    alarms_now: int | None = None
    alarms_then: int | None = None
    refused: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """All that was learnt of a site.

    Attributes:
        site: Site id.
        config: Revision of the configuration at that time; told, not compared, because the artefact is part of it.
        tags: Digest of the tag list (``digest_of_tags``).
        recording: Name of the file it was learnt from.
        from_ns, to_ns: First and last sample.
        seed: Of the dice that intervals were drawn with.
        per_year: False alarms a year and tag that the thresholds are meant for.
        rules: One entry for each DRIFT and TREND rule.
        models: Learned models, each a JSON object with at least ``name``; whoever fits one, reads it. One that could
            not be learnt has only ``name`` and ``refused``, the reason by language.
    """

    site: str
    config: str
    tags: str
    recording: str
    from_ns: int
    to_ns: int
    seed: int
    per_year: float
    rules: tuple[Threshold, ...] = ()
    models: tuple[Mapping[str, Any], ...] = ()

    def threshold(self, rule: str) -> Threshold | None:
        """Find what was learnt for a rule."""
        return next((each for each in self.rules if each.rule == rule), None)


def digest_of_tags(tags: Iterable[Tag]) -> str:
    """Digest a tag list, whatever its order: names, kinds, units, periods and resolutions."""
    rows = sorted([tag.name, tag.kind, tag.eu, tag.period_s, tag.resolution] for tag in tags)
    return digest_of(rows)


def digest_of_shape(rule: Rule, tag: Tag) -> str:
    """Digest all that shapes the statistic of a DRIFT or TREND rule; its threshold, tier, delays and texts do not."""
    facts: list[Any] = [rule.tag, rule.kind.name, rule.gap_s, tag.period_s, tag.resolution]
    if rule.drift is not None:
        facts.append(asdict(rule.drift))
    if rule.kind is Kind.TREND:
        facts += [rule.setpoint, rule.is_falling, rule.alpha, rule.samples_min, rule.window_s]
    if rule.blocks is not None:
        facts.append(asdict(rule.blocks))
    return digest_of(facts)


def digest_of(facts: Any) -> str:  # noqa: ANN401  # JSON values
    """Digest JSON values: 32 hexadecimal digits of BLAKE2b over their canonical text."""
    text = json.dumps(facts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def as_json(learned: Learned) -> dict[str, Any]:
    """Give the artefact as JSON values, with format and version first."""
    body = asdict(learned)
    body["rules"] = [asdict(each) for each in learned.rules]
    body["models"] = [dict(model) for model in learned.models]
    return {"format": FORMAT, "version": VERSION, **body}
