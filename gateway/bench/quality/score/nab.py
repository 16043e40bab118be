"""The rule of the Numenta Anomaly Benchmark v1.1 (Lavin, Ahmad, ICMLA 2015), standard profile.

Within a labelled window only the earliest detection counts, by a sigmoid from its left edge to its right one; a missed
window costs 1; a false alarm costs up to 0.11, less just behind a window. One threshold for all files, searched so that
the score is highest, for every detector alike: the number is optimistic, and is so in every publication.
Normalised to 100 (S - S_null) / (S_perfect - S_null).
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gateway.bench.quality.case import Case, Floats, Times, Verdict
from gateway.bench.quality.read import nab, sheet
from gateway.bench.quality.score.row import Row

WEIGHTS = {"standard": (1.0, 0.11), "reward_low_FP_rate": (1.0, 0.22), "reward_low_FN_rate": (2.0, 0.11)}
WINDOW_FORM = "%Y-%m-%d %H:%M:%S.%f"


@dataclass(frozen=True, slots=True)
class Worth:
    """What a detection at each scored row is worth: the sigmoid, float64 (n,), and its window, -1 for none."""

    value: Floats
    window: Times


def windows(folder: Path) -> dict[str, list[tuple[int, int]]]:
    """Open the labels: by name of the file first and last time of each window, ns."""
    path = folder / "labels" / "combined_windows.json"
    return {
        name: [tuple(sheet.times_ns(path, edges, WINDOW_FORM).tolist()) for edges in found]
        for name, found in json.loads(path.read_text(encoding="utf-8")).items()
    }


def sigmoid(position: Floats) -> Floats:
    """Give 2 / (1 + e^(5 y)) - 1, -1 from y = 3 on."""
    worth: Floats = 2 / (1 + np.exp(np.clip(5 * position, -60, 60))) - 1
    return np.where(position > 3.0, -1.0, worth)  # noqa: PLR2004  # as the benchmark cuts it


def worth(case: Case, of_file: list[tuple[int, int]], first: int) -> Worth:
    """Lay out what detections in a file are worth; its windows are numbered from ``first`` on."""
    n, rows = len(case.judge), np.arange(len(case.judge))
    value, window = np.full(n, -1.0), np.full(n, -1, dtype=np.int64)
    edges = [(int(np.argmax(case.judge.time_ns == a)), int(np.argmax(case.judge.time_ns == b))) for a, b in of_file]
    for left, right in edges:
        behind = slice(right + 1, n)
        value[behind] = sigmoid((rows[behind] - right) / max(right - left, 1))
    for number, (left, right) in enumerate(edges):
        inside = slice(left, right + 1)
        value[inside] = sigmoid(-(right - rows[inside] + 1) / (right - left + 1))
        window[inside] = first + number
    scored = slice(nab.learned(n), n)
    return Worth(value[scored], window[scored])


def best(scores: Floats, value: Floats, window: Times, *, missed: float, false: float) -> tuple[float, float]:
    """Search the threshold that gives the highest score.

    Returns:
        The score and the threshold, infinity where silence is best.
    """
    order = np.argsort(-scores, kind="stable")
    scores, value, window = scores[order], value[order], window[order]
    count = len(np.unique(window[window >= 0]))
    greatest = float(sigmoid(np.array(-1.0)))
    cost = np.cumsum(np.where(window < 0, value * false, 0.0))
    gain, reached, held = np.zeros(len(scores)), 0.0, dict[int, float]()
    for row in np.flatnonzero(window >= 0).tolist():
        now = float(value[row]) / greatest
        before = held.get(int(window[row]), -missed)
        if now > before:
            reached += now - before
            held[int(window[row])] = now
        gain[row] = reached
    gain = np.maximum.accumulate(gain)
    ends = np.append(scores[1:] != scores[:-1], True)  # the last of equal scores
    total = np.where(ends, cost + gain, -np.inf) - missed * count
    at = int(np.argmax(total))
    nothing = -missed * count
    return (float(total[at]), float(scores[at])) if total[at] > nothing else (nothing, float("inf"))


def score(folder: Path, cases: list[Case], verdicts: list[Verdict]) -> Row:
    """Score a detector; missing scores count as 0."""
    windows_of = windows(folder)
    parts, count = [], 0
    for case in cases:
        parts.append(worth(case, windows_of.get(case.name, []), count))
        count += len(windows_of.get(case.name, []))
    scores = np.concatenate([np.nan_to_num(v.score[case.skip :]) for case, v in zip(cases, verdicts, strict=True)])
    alarm = np.concatenate([v.alarm[case.skip :] for case, v in zip(cases, verdicts, strict=True)])
    value, window = np.concatenate([p.value for p in parts]), np.concatenate([p.window for p in parts])
    found, threshold = {}, {}
    for profile, (missed, false) in WEIGHTS.items():
        reached, threshold[profile] = best(scores, value, window, missed=missed, false=false)
        found[profile] = 100 * (reached + missed * count) / (count * (1 + missed)) if count else 0.0
    at = scores >= threshold["standard"]
    hit = len(np.unique(window[at & (window >= 0)]))
    own, _ = best(alarm.astype(np.float64), value, window, missed=1.0, false=0.11)
    return Row(
        score=found["standard"],
        name="NAB standard",
        false_percent=100 * float(np.mean(at[window < 0])),
        missed_percent=100 * (1 - hit / count) if count else None,
        more={
            "windows": count,
            "detected": hit,
            "false_rows": int(np.count_nonzero(at & (window < 0))),
            "reward_low_FP_rate": found["reward_low_FP_rate"],
            "reward_low_FN_rate": found["reward_low_FN_rate"],
            "own_threshold": 100 * (own + count) / (2 * count) if count else None,
        },
    )
