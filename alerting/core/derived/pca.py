"""How far some tags are from normal operation together: T2 or Q of a learned model (``alerting.core.pca``).

Units: none: multiples of the limit that was learnt, so that H = 1 stays right when the model is learnt again. What the
model was learnt with is in its tags' own units.
When: once each period of the model, as soon as each input has a newer sample than at the row before, and after one
and a half periods with what there is; between two rows the last result stands.
Never: bridges a gap. An input that is BAD or stale, or no row for ``GAP_PERIODS`` periods, begins anew: the result is
BAD until as many rows are there as the model looks back.
"""

from collections.abc import Sequence
from typing import Any, ClassVar, Final

import numpy as np

from alerting.core import pca
from alerting.core.derived.method import BAD_INCOMPLETE, BAD_INPUT, Given, Indexes, Made, State
from alerting.model.derivation import Derivation
from alerting.model.pca import PcaModel
from edge.model.quality import is_bad

S_TO_NS: Final = 1_000_000_000
GAP_PERIODS: Final = 5
SHARES_TOLD: Final = 4


class Pca:
    """All T2 and Q tags; each instance follows its model by itself."""

    ROLES: ClassVar[tuple[str, ...]] = ("tags",)

    def __init__(self, members: Sequence[Derivation]) -> None:
        self._members = tuple(members)
        self._models = [_model_of(each) for each in members]
        known = [model for model in self._models if model is not None]
        self._width = max((len(model.tags) for model in known), default=1)
        self._lags = max((model.lags for model in known), default=0)

    def fresh(self) -> State:
        """Nothing seen."""
        n, rows = len(self._members), self._lags + 1
        return {
            "recent": np.zeros((n, rows * self._width)),
            "smooth": np.zeros((n, rows * self._width)),
            "seen": np.zeros((n, 2), dtype=np.int64),
            "row_ns": np.zeros(n, dtype=np.int64),
            "value": np.full(n, np.nan),
        }

    def compute(self, at: Indexes, given: Given, state: State) -> Made:
        """Take a row of each instance that is due."""
        column = given.roles["tags"]
        quality = given.worst
        value = np.full(len(at), np.nan)
        for number, place in enumerate(at.tolist()):
            if is_bad(quality[number : number + 1])[0]:
                state["seen"][place] = 0
                quality[number] = BAD_INPUT
                continue
            model = self._models[place]
            if model is None:  # It was not learnt yet.
                quality[number] = BAD_INCOMPLETE
                continue
            width = len(model.tags)
            now_ns = int(given.now_ns[number])
            if _is_due(model, place, state, now_ns, int(column.time_ns[number, :width].min())):
                self._row(model, place, state, now_ns, column.value[number, :width])
            if state["seen"][place, 1] == 0:
                quality[number] = BAD_INCOMPLETE
            else:
                value[number] = state["value"][place]
        return Made(value, quality)

    def explain(self, place: int, state: State) -> dict[str, Any]:
        """Name the model, the limits and the tags that bring most."""
        model, statistic = self._models[place], self._statistic(place)
        if model is None or state["seen"][place, 1] == 0:
            return {"model": self._members[place].words.get("model", "")}
        limit = _limit(model, statistic)
        facts: dict[str, Any] = {
            "model": model.name,
            "statistic": statistic,
            "amount": float(state["value"][place]) * limit,
            "learned_limit": limit,
        }
        window = _window(model, place, state)
        share = pca.shares(model, pca.averaged(model, window), statistic)
        first = np.argsort(-share, kind="stable")[:SHARES_TOLD]
        facts["shares"] = [{"tag": model.tags[w], "share": float(share[w])} for w in first.tolist() if share[w] > 0]
        return facts

    def _statistic(self, place: int) -> str:
        return self._members[place].words.get("statistic", "q")

    def _row(self, model: PcaModel, place: int, state: State, now_ns: int, row: pca.Floats) -> None:
        """Take a row; the value is the statistic in multiples of its learned limit."""
        state["row_ns"][place] = now_ns
        if state["seen"][place, 0] == 0:
            state["smooth"][place] = 0.0
        features = pca.step(model, _window(model, place, state), row)
        if features is not None:
            statistic = self._statistic(place)
            t2, q = pca.statistics(model, features)
            state["value"][place] = (q if statistic == "q" else t2) / _limit(model, statistic)


def _limit(model: PcaModel, statistic: str) -> float:
    return model.q_limit if statistic == "q" else model.t2_limit


def _is_due(model: PcaModel, place: int, state: State, now_ns: int, oldest_ns: int) -> bool:
    """Tell whether a row is to be taken now; after a gap the model begins anew."""
    last_ns, period_ns = int(state["row_ns"][place]), model.period_s * S_TO_NS
    if last_ns and now_ns - last_ns > GAP_PERIODS * period_ns:
        state["seen"][place] = 0
    if state["seen"][place, 0] == 0:
        return True
    since_ns = now_ns - last_ns
    return (since_ns >= period_ns / 2 and oldest_ns > last_ns) or since_ns >= 1.5 * period_ns


def _window(model: PcaModel, place: int, state: State) -> pca.Window:
    """Give the window of an instance, as views of the columns."""
    n = len(model.tags) * (model.lags + 1)
    recent = state["recent"][place, :n].reshape(model.lags + 1, len(model.tags))
    return pca.Window(recent, state["smooth"][place, :n], state["seen"][place])


def _model_of(derivation: Derivation) -> PcaModel | None:
    model = derivation.model
    assert model is None or model.tags == derivation.inputs["tags"], derivation.tag  # The configuration sees to it.
    return model
