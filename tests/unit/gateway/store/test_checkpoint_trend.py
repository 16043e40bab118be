"""A checkpoint gives back what trends had learnt, and nothing to a filter that has become another."""

from dataclasses import replace

import numpy as np
import pytest

from alerting.core.trend import Forecast
from alerting.desk import Desk
from alerting.model.blocks import Blocks
from alerting.model.rule import Kind, Rule, RuleTable
from alerting.model.tier import Tier
from edge.model import Nature, Scan, Tag, TagTable
from gateway.store.checkpoint import pack, unpack

S = 1_000_000_000
UP = Rule(
    id="x.TREND", tag="x", kind=Kind.TREND, setpoint=9.0, to="HH", horizon_s=60.0, alpha=0.1, samples_min=10,
    tier=Tier.YELLOW,
)  # fmt: skip
DOWN = replace(UP, id="x.TREND:down", name="down", setpoint=0.0, to="LL", is_falling=True)


def desk_of(*rules: Rule) -> Desk:
    return Desk("site", RuleTable(rules, TagTable([Tag(name="x", source="s", unit="u")])), [], [], S)


def fed(*rules: Rule) -> Desk:
    desk = desk_of(*rules)
    for step in range(1, 31):
        at_ns = (100 + step) * S
        desk.begin(at_ns)
        desk.take(
            Scan(
                source="s", epoch=1, number=step, received_ns=at_ns, rows=np.array([0], np.int32),
                values=np.array([0.1 * step]), quality=np.zeros(1, np.uint8), times_ns=np.array([at_ns]),
            )
        )  # fmt: skip
        desk.finish()
    return desk


def slope(desk: Desk, rule: Rule) -> float:
    memory = desk.memory(Nature.ACTUAL)
    return float(Forecast(desk.table, memory, np.array([desk.table.index_of[rule.id]])).slope[0])


def test_a_filter_goes_on_where_it_was_even_if_the_limit_or_its_neighbours_changed() -> None:
    content = pack(fed(UP, DOWN), Nature.ACTUAL)
    again = desk_of(replace(DOWN, setpoint=-1.0))
    unpack(again, Nature.ACTUAL, content)

    assert slope(again, DOWN) == pytest.approx(0.1)
    assert again.memory(Nature.ACTUAL).trend_ns.tolist() == [130 * S]


def test_a_filter_with_another_gain_starts_anew() -> None:
    again = desk_of(replace(UP, alpha=0.05))
    unpack(again, Nature.ACTUAL, pack(fed(UP), Nature.ACTUAL))

    assert again.memory(Nature.ACTUAL).trend_ns.tolist() == [0]


LINE = replace(UP, id="x.TREND:line", name="line", alpha=0.0, samples_min=0, blocks=Blocks(block_s=2.0, count=10))


def test_a_line_goes_on_with_the_blocks_it_had() -> None:
    whole, again = fed(UP, LINE), desk_of(LINE, DOWN)
    unpack(again, Nature.ACTUAL, pack(whole, Nature.ACTUAL))
    one, other = whole.memory(Nature.ACTUAL), again.memory(Nature.ACTUAL)

    assert slope(again, LINE) == pytest.approx(0.1)
    assert (other.block_ns > 0).sum() == 10
    for name in ("block_ns", "block_value", "gathered", "line_level"):
        assert getattr(other, name).tolist() == getattr(one, name).tolist()


@pytest.mark.parametrize("change", [{"block_s": 3.0}, {"count": 12}, {"line": "theil-sen"}])
def test_a_line_through_other_blocks_starts_anew(change: dict[str, float]) -> None:
    assert LINE.blocks is not None
    again = desk_of(replace(LINE, blocks=replace(LINE.blocks, **change)))
    unpack(again, Nature.ACTUAL, pack(fed(LINE), Nature.ACTUAL))
    memory = again.memory(Nature.ACTUAL)

    assert memory.trend_ns.tolist() == [0]
    assert not memory.block_ns.any()
    assert not memory.gathered.any()
