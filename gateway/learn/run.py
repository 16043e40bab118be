"""Learn a site's thresholds and models from a recording of its normal operation.

Flow: site, recording, labels -> [collect, tails, budget; rows, fit] -> Learned
Why: a threshold taken from a textbook is worth nothing on noise that is not the textbook's (docs/learn.md).
Never: gives a threshold or a model for too short a history; it says why not.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alerting.model.learned import Learned, Threshold, digest_of_shape, digest_of_tags
from alerting.model.rule import Kind, Rule
from edge.model import Tag
from gateway.backtest.ahead import steps_ahead
from gateway.backtest.labels import read_labels
from gateway.config import Site
from gateway.learn.collect import Maxima
from gateway.learn.models import Models, Progress
from gateway.learn.tail import PEAKS_LEAST, level_of
from gateway.recording import RecordingError

YEAR_S = 365.25 * 86_400
DAY_S = 86_400.0
DAYS_LEAST = 7.0
BLOCKS_LEAST = 4 * PEAKS_LEAST
BUDGET_A_DAY = 150.0  # Alarms that an operator can answer in a day (EEMUA 191, ISA-18.2).
BUDGET_SHARE = 0.1
HORIZON_MOST_S = DAY_S
NEVER = -np.inf
DIGITS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be learnt.

    Attributes:
        per_year: False alarms a tag and year at most.
        operators: Operators' positions that share the alarms; the learnt ones may take a tenth of their budget.
        takes_middle: Take the estimate itself instead of the upper end of its interval.
    """

    recording: Path
    labels: Path | None = None
    per_year: float = 1.0
    operators: int = 1
    seed: int = 1
    takes_middle: bool = False


def quiet(_pass: str, _share: float) -> None:
    """Show no progress."""


def learn(site: Site, asked: Asked, progress: Progress = quiet) -> Learned:
    """Learn the thresholds of all DRIFT and TREND rules, and the models that derived tags name, in one pass.

    Args:
        site: The site, loaded with ``is_learning``.
        progress: Told the name of the pass and how much of the file it has read, 0 to 1.

    Raises:
        RecordingError: The recording or the labels cannot be read, or nothing is to be learnt; one sentence.
        OSError: A file cannot be opened.
    """
    with asked.recording.open("rb") as file:
        if file.read(1) == b"{":
            raise RecordingError(
                f"{asked.recording}: this is a recording of `fengsui run --record`; learning needs CSV or Parquet."
            )
    rules = [rule for rule in site.rules if rule.kind in (Kind.DRIFT, Kind.TREND)]
    labels = [] if asked.labels is None else read_labels(asked.labels, site.tags)
    models = Models(site, labels)
    if not rules and not models:
        raise RecordingError("The site has no DRIFT and no TREND rule and no pca tag; there is nothing to learn.")
    maxima = Maxima(rules, site.tags, labels)
    first_ns = last_ns = 0
    progress("learn", 0.0)  # So that something is seen before the first chunk is read.
    for chunk in steps_ahead(asked.recording, site.tags):
        if len(chunk):
            first_ns, last_ns = first_ns or int(chunk.times_ns[0]), int(chunk.times_ns[-1])
        if rules:
            maxima.take(chunk)
        models.take(chunk)
        progress("learn", chunk.share)
    if rules:
        maxima.end()
    rate = min(asked.per_year, BUDGET_SHARE * BUDGET_A_DAY * asked.operators * YEAR_S / DAY_S / max(len(rules), 1))
    dice = np.random.default_rng(asked.seed)
    return Learned(
        site=site.id,
        config=site.revision,
        tags=digest_of_tags(site.tags),
        recording=asked.recording.name,
        from_ns=first_ns,
        to_ns=last_ns,
        seed=asked.seed,
        per_year=rate,
        rules=tuple(
            _threshold(rule, maxima, k, rate, dice, site.tags[site.tags.row_of[rule.tag]], asked)
            for k, rule in enumerate(rules)
        ),
        models=models.fit(progress).entries,
    )


def is_whole(learned: Learned) -> bool:
    """Tell whether nothing was refused."""
    return not any(each.value is None for each in learned.rules) and not any(
        "refused" in model for model in learned.models
    )


def _threshold(
    rule: Rule, maxima: Maxima, place: int, rate: float, dice: np.random.Generator, tag: Tag, asked: Asked
) -> Threshold:
    """Give what was learnt for one rule, or why nothing was."""
    judged = maxima.of(place)
    days = float(maxima.judged_s[place]) / DAY_S
    now = rule.setpoint if rule.kind is Kind.DRIFT else rule.horizon_s
    about: dict[str, Any] = {
        "rule": rule.id,
        "kind": rule.kind.name,
        "shape": digest_of_shape(rule, tag),
        "now": now,
        "days": round(days, 2),
    }
    alarming = judged[np.isfinite(judged)]
    if days < DAYS_LEAST or len(judged) < BLOCKS_LEAST:
        return Threshold(**about, refused=_too_short(days, len(judged)))
    if len(alarming) < 2 * PEAKS_LEAST:
        return Threshold(**about, refused=NEVER_NEAR)
    block_s = maxima.block_s[place]
    # Blocks in which nothing was alarming count too: the others are that much rarer.
    chance = rate * block_s / YEAR_S * len(judged) / len(alarming)
    level = level_of(alarming, chance, dice)
    is_short = days * DAY_S * rate < YEAR_S
    least = float(alarming.max()) if is_short else NEVER  # What was seen in less than a year is no alarm either.
    told = level.middle if asked.takes_middle else level.high
    found = [_shown(rule, max(each, least)) for each in (told, level.low, level.high)]
    value, low, high = found
    return Threshold(
        **about,
        value=value,
        low=min(low, high),
        high=max(low, high),
        peaks=level.peaks,
        tail=round(level.shape, DIGITS),
        alarms_now=_passed(judged, _statistic(rule, now)),
        alarms_then=_passed(judged, _statistic(rule, value)),
    )


NEVER_NEAR = {
    "en": "In this recording the tag hardly ever runs to its limit; write a number.",
    "zh": "该记录中此位号几乎不趋向限值,请直接填写数值。",
}


def _too_short(days: float, blocks: int) -> dict[str, str]:
    if days < DAYS_LEAST:
        return {
            "en": f"Only {days:.1f} days of it were judged; at least {DAYS_LEAST:g} are needed, weeks are better.",
            "zh": f"仅有 {days:.1f} 天可判定数据,至少需要 {DAYS_LEAST:g} 天,数周更佳。",
        }
    return {
        "en": f"Only {blocks} independent stretches were judged; at least {BLOCKS_LEAST} are needed.",
        "zh": f"仅有 {blocks} 个相互独立的时段,至少需要 {BLOCKS_LEAST} 个,请延长记录时间。",
    }


def _statistic(rule: Rule, threshold: float) -> float:
    return threshold if rule.kind is Kind.DRIFT else -math.log(threshold)


def _shown(rule: Rule, statistic: float) -> float:
    """Give a threshold to three digits, on the quiet side."""
    if rule.kind is Kind.DRIFT:
        return _round(max(statistic, 2.0), math.ceil)
    return _round(min(math.exp(-statistic), HORIZON_MOST_S), math.floor)


def _round(value: float, way: Callable[[float], int]) -> float:
    step = 10.0 ** (math.floor(math.log10(value)) - DIGITS + 1)
    return float(f"{way(value / step) * step:.{DIGITS}g}")


def _passed(maxima: NDArray[np.float64], threshold: float) -> int:
    """Count stretches of blocks in a row that reach the threshold."""
    above = np.concatenate([[False], maxima >= threshold])
    return int(np.count_nonzero(above[1:] & ~above[:-1]))


def summary(learned: Learned) -> str:
    """Say what was learnt, a line a rule and a line a model."""
    lines = []
    if learned.rules:
        lines += [
            f"Learnt from {learned.recording}: at most {learned.per_year:.3g} false alarms a year and rule.",
            f"{'rule':<32} {'now':>9} {'learnt':>9} {'80 %':>17} {'days':>6} {'rang':>9}",
        ]
    for each in learned.rules:
        if each.value is None:
            lines.append(f"{each.rule:<32} {(each.refused or {}).get('en', '')}")
            continue
        unit = "σ" if each.kind == Kind.DRIFT.name else "s"
        interval = f"{each.low:g} … {each.high:g}"
        rang = f"{each.alarms_now} → {each.alarms_then}"
        lines.append(
            f"{each.rule:<32} {f'{each.now:g} {unit}':>9} {f'{each.value:g} {unit}':>9} {interval:>17} "
            f"{each.days:>6.1f} {rang:>9}"
        )
    if learned.models:
        lines += [
            f"Models learnt from {learned.recording}:",
            f"{'model':<32} {'tags':>5} {'components':>10} {'rows':>7}",
        ]
    for model in learned.models:
        name = f"{model['name']:<32}"
        if "refused" in model:
            lines.append(f"{name} {model['refused']['en']}")
        else:
            lines.append(f"{name} {len(model['tags']):>5} {len(model['variances']):>10} {model['rows']:>7}")
    return "\n".join(lines)
