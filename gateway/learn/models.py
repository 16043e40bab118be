"""Fit the models that a site's derived tags name, from a recording of normal operation.

Flow: recording -> rows of each model's inputs, a period apart, as its tags take them -> [fit] -> artefact's ``models``
Why: the model must see rows as the road will show them: the last value held, one row a period, none over a gap.
Never: learns from what a label calls wrong, from BAD samples, or over a pause.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from alerting.core.derived.pca import GAP_PERIODS
from alerting.model.derivation import Derivation
from alerting.model.pca import as_json
from edge.model.quality import is_judged
from gateway.backtest.labels import Label, inside
from gateway.config import Site
from gateway.learn.pca import FitError, Shape, fit
from gateway.recording import Steps

Floats = NDArray[np.float64]
Progress = Callable[[str, float], None]  # Told the name of a pass, and how much of it is done, 0 to 1.

ROWS_MAX: Final = 40_000  # Beyond, every other stretch is left out: what is normal is known by then.
STRETCH_ROWS: Final = 1_000
S_TO_NS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """What came of it.

    Attributes:
        models: Entries of the artefact's ``models``.
        refused: Why there is none, one sentence by language, by model.
    """

    models: tuple[dict[str, Any], ...]
    refused: Mapping[str, Mapping[str, str]]

    @property
    def entries(self) -> tuple[Mapping[str, Any], ...]:
        """All for the artefact: the models, then those that there are none of, with the reason."""
        none = ({"name": name, "refused": dict(reason)} for name, reason in self.refused.items())
        return (*self.models, *none)


class Models:
    """All models that a site's derived tags name, on their way: shown a recording chunk by chunk, then fitted."""

    def __init__(self, site: Site, labels: Sequence[Label] = ()) -> None:
        self._labels = list(labels)
        self._wanted: dict[str, Derivation] = {}
        for each in site.derived:
            if each.kind == "pca":
                self._wanted.setdefault(each.words["model"], each)
        derived = {each.tag for each in site.derived}
        self._refused: dict[str, dict[str, str]] = {}
        self._collectors: dict[str, Collector] = {}
        for name, each in self._wanted.items():
            computed = [tag for tag in each.asked if tag in derived]
            if computed:
                self._refused[name] = {
                    "en": f"{computed[0]} is computed; a model is learnt from measured tags.",
                    "zh": f"{computed[0]} 为计算位号，模型只能从测量位号学习。",
                }
                continue
            self._collectors[name] = Collector(
                row_of=np.array([site.tags.row_of[tag] for tag in each.inputs["tags"]], dtype=np.int64),
                period_ns=round(site.tags[site.tags.row_of[each.tag]].period_s * S_TO_NS),
            )

    def __len__(self) -> int:
        return len(self._wanted)

    def take(self, chunk: Steps) -> None:
        """Take a chunk of the recording."""
        if not self._collectors:
            return
        is_wrong = inside(chunk.times_ns, self._labels)
        for collector in self._collectors.values():
            collector.take(chunk, is_wrong)

    def fit(self, progress: Progress = lambda _pass, _share: None) -> Fitted:
        """Fit all, now that the recording has been seen; one that cannot be fitted has its reason."""
        models = []
        refused = dict(self._refused)
        for done, (name, collector) in enumerate(self._collectors.items(), start=1):
            missing = [
                tag for tag, seen in zip(self._wanted[name].inputs["tags"], collector.is_seen, strict=True) if not seen
            ]
            if missing:
                refused[name] = {
                    "en": f"{missing[0]} has no good sample in this recording.",
                    "zh": f"该记录中 {missing[0]} 没有有效数据。",
                }
                continue
            try:
                models.append(_fit(self._wanted[name], collector))
            except FitError as failure:
                refused[name] = failure.sentences
            progress("models", done / len(self._collectors))
        return Fitted(models=tuple(models), refused=refused)


def _fit(derivation: Derivation, collector: "Collector") -> dict[str, Any]:
    numbers = derivation.numbers
    shape = Shape(
        name=derivation.words["model"],
        tags=derivation.inputs["tags"],
        period_s=collector.period_ns / S_TO_NS,
        lags=int(numbers["lags"]),
        weight=numbers["weight"],
        variance=numbers["variance"],
        false_share=numbers["false_share"],
    )
    return as_json(fit(shape, *collector.rows()))


@dataclass(slots=True, kw_only=True)
class Collector:
    """Rows of one model, taken as its derived tags take them.

    Attributes:
        row_of: Tag row of each input, int64 (w,).
        is_seen: Inputs of which a good sample came, bool (w,).
        stretches: Rows without a gap between them, float64 (n, w) each.
    """

    row_of: NDArray[np.int64]
    period_ns: int
    is_seen: NDArray[np.bool_] = field(init=False)
    stretches: list[Floats] = field(default_factory=list)
    _now: list[Floats] = field(default_factory=list)
    _value: Floats = field(init=False)
    _time_ns: NDArray[np.int64] = field(init=False)
    _row_ns: int = 0
    _every: int = 1
    _begun: int = 0

    def __post_init__(self) -> None:
        self._value = np.full(len(self.row_of), np.nan)
        self._time_ns = np.zeros(len(self.row_of), dtype=np.int64)
        self.is_seen = np.zeros(len(self.row_of), dtype=np.bool_)

    def take(self, chunk: Steps, is_wrong: NDArray[np.bool_]) -> None:
        """Take a chunk of a recording; ``is_wrong`` marks the steps within a label, bool (n,)."""
        place = {int(row): column for column, row in enumerate(chunk.rows.tolist())}
        mine = [(w, place[int(row)]) for w, row in enumerate(self.row_of.tolist()) if int(row) in place]
        if not mine:
            return
        to, columns = (np.array(each, dtype=np.int64) for each in zip(*mine, strict=True))
        values = chunk.values[:, columns]
        present = np.ones(values.shape, dtype=np.bool_) if chunk.present is None else chunk.present[:, columns]
        good = np.isfinite(values)
        if chunk.quality is not None:
            good &= is_judged(chunk.quality[:, columns])
        self.is_seen[to] |= (good & present).any(axis=0)
        for step in np.flatnonzero(present.any(axis=1)).tolist():
            came = present[step]
            self._value[to[came]] = np.where(good[step, came], values[step, came], np.nan)
            self._time_ns[to[came]] = chunk.times_ns[step]
            self._meet(int(chunk.times_ns[step]), is_wrong=bool(is_wrong[step]))

    def _meet(self, now_ns: int, *, is_wrong: bool) -> None:
        """Take a row if one is due; a gap, a BAD input and a label end the stretch."""
        if self._row_ns and now_ns - self._row_ns > GAP_PERIODS * self.period_ns:
            self._pause()
        if is_wrong or not np.isfinite(self._value).all():
            self._pause()
            return
        since_ns = now_ns - self._row_ns
        is_due = since_ns >= self.period_ns / 2 and int(self._time_ns.min()) > self._row_ns
        if self._row_ns and not is_due and since_ns < 1.5 * self.period_ns:
            return
        self._row_ns = now_ns
        self._now.append(self._value.copy())
        if len(self._now) == STRETCH_ROWS:
            self._end()

    def _pause(self) -> None:
        self._end()
        self._row_ns = 0

    def _end(self) -> None:
        if not self._now:
            return
        if self._begun % self._every == 0:
            self.stretches.append(np.array(self._now))
        self._begun += 1
        self._now = []
        if sum(map(len, self.stretches)) > ROWS_MAX:
            self.stretches = self.stretches[::2]
            self._every *= 2

    def rows(self) -> tuple[Floats, tuple[int, ...]]:
        """Give all rows, float64 (n, w), and where stretches begin."""
        self._end()
        lengths = [len(each) for each in self.stretches]
        starts = tuple(np.cumsum([0, *lengths[:-1]]).tolist()) if lengths else ()
        return np.concatenate(self.stretches) if lengths else np.empty((0, len(self.row_of))), starts
