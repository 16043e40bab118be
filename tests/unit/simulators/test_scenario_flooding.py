"""Floods, first-outs and suppression as expectations: what meets them, what misses them, what can never be met."""

from pathlib import Path

import pytest

from edge.load.mistake import ConfigError
from simulators.scenario import (
    Event,
    Expectation,
    First,
    Flooding,
    FloodSeen,
    Known,
    Listed,
    See,
    Seen,
    Standing,
    Tripping,
    judge,
    read_scenario,
    stand,
)

OIL = First(tag="C.oil", condition="L")
SPEED = First(tag="C.speed", condition="L")
FLOOD = FloodSeen(began_s=70, ended_s=800, count=14, first=OIL, units={"C": OIL, "R": SPEED})
OPEN = FloodSeen(began_s=70, ended_s=None, count=11, first=OIL, units={"C": OIL})
EXPECT = Expectation(id="f", see=See.FLOOD, from_s=60, until_s=200, least=12, over_by_s=900)
FIRST = Expectation(id="o", see=See.FIRST_OUT, tag="C.oil", condition="L", unit="C", from_s=60, until_s=200)


def stood(each: Expectation, *floods: FloodSeen, until_s: float = 1000.0) -> tuple[bool, Standing]:
    seen = Seen(events=(), floods=floods, until_s=until_s)
    (verdict,) = judge([each], seen)
    assert set(verdict.why) == {"en", "zh"}
    ((standing, _),) = stand([each], seen)
    return verdict.is_met, standing


@pytest.mark.parametrize(
    ("flood", "is_met"),
    [
        (FLOOD, True),
        (FloodSeen(began_s=70, ended_s=901, count=14, first=OIL, units={}), False),
        (FloodSeen(began_s=70, ended_s=None, count=14, first=OIL, units={}), False),
        (FloodSeen(began_s=70, ended_s=800, count=11, first=OIL, units={}), False),
        (FloodSeen(began_s=59, ended_s=800, count=14, first=OIL, units={}), False),
        (FloodSeen(began_s=201, ended_s=800, count=14, first=OIL, units={}), False),
    ],
)
def test_a_flood_begins_in_time_is_large_enough_and_over_in_time(flood: FloodSeen, is_met: bool) -> None:
    assert stood(EXPECT, flood) == (is_met, Standing.MET if is_met else Standing.MISSED)


def test_a_flood_that_goes_on_may_still_grow_and_end() -> None:
    assert stood(EXPECT, until_s=150) == (False, Standing.WAITING)
    assert stood(EXPECT, OPEN, until_s=300) == (False, Standing.WAITING)
    assert stood(EXPECT, OPEN, until_s=900) == (False, Standing.MISSED)
    assert stood(EXPECT, until_s=300) == (False, Standing.MISSED)


def test_a_first_out_is_that_of_the_flood_or_of_the_unit() -> None:
    def first(unit: str, tag: str, *floods: FloodSeen) -> bool:
        each = Expectation(id="o", see=See.FIRST_OUT, tag=tag, condition="L", unit=unit, from_s=60, until_s=200)
        return stood(each, *floods)[0]

    assert first("", "C.oil", FLOOD)
    assert first("R", "C.speed", FLOOD)
    assert not first("", "C.speed", FLOOD)
    assert not first("R", "C.oil", FLOOD)
    assert not first("Q", "C.oil", FLOOD)
    assert not first("", "C.oil")


def came(time_s: float, what: str = "raised", *, is_quiet: bool = True) -> Event:
    return Event(
        time_s=time_s, id=f"e{time_s}", what=what, unit="C", tag="C.current", condition="L", tier="YELLOW", alarm="a",
        is_quiet=is_quiet,
    )  # fmt: skip


LISTED = (Listed(time_s=81, alarm="a"),)
QUIET = Expectation(id="s", see=See.SUPPRESSED, tag="C.current", condition="L", from_s=70, until_s=330)


@pytest.mark.parametrize(
    ("events", "listed", "is_met"),
    [
        ((came(80),), LISTED, True),
        ((came(80, "suppressed"),), LISTED, True),
        ((came(80),), None, True),
        ((came(80),), (), False),
        ((came(80),), (Listed(time_s=81, alarm="b"),), False),
        ((came(80, is_quiet=False),), LISTED, False),
        ((came(80), came(200, "realarmed", is_quiet=False)), LISTED, False),
        ((came(80), came(340, "realarmed", is_quiet=False)), LISTED, True),
        ((came(60),), LISTED, False),
        ((), LISTED, False),
    ],
)
def test_suppressed_means_there_listed_and_not_rung(
    events: tuple[Event, ...], listed: tuple[Listed, ...] | None, is_met: bool
) -> None:
    seen = Seen(events=events, listed=listed, until_s=600.0)
    ((standing, verdict),) = stand([QUIET], seen)

    assert verdict.is_met is is_met
    assert standing is (Standing.MET if is_met else Standing.MISSED)


def test_what_is_suppressed_neither_meets_an_alarm_nor_breaks_the_quiet() -> None:
    alarm = Expectation(id="a", see=See.ALARM, tag="C.current", condition="L", until_s=600)
    quiet = Expectation(id="q", see=See.QUIET, unit="C", until_s=600)

    assert [v.is_met for v in judge([alarm, quiet], Seen(events=(came(80),)))] == [False, True]
    assert [v.is_met for v in judge([alarm, quiet], Seen(events=(came(80, is_quiet=False),)))] == [True, False]


RULES = tuple(
    Tripping(rule=f"TK-912.level.{kind}", tag="TK-912.level", condition=kind, unit="TK-912", tier="YELLOW")
    for kind in ("H", "L")
)
HEAD = 'plant = "petrol-depot"\nlasts_s = 2000\n[[expect]]\nid = "x"\n'
KNOWN = Known(
    ranges={"TK-912.level": (0.0, 15.0)}, sources=frozenset(), rules=RULES,
    units={"TK-912": "YELLOW", "TK-915": "BLUE"},
    flooding=Flooding(above=10, window_s=600, alarms=12), covered=frozenset({"TK-912.level.L"}),
)  # fmt: skip
DRY = Known(ranges=KNOWN.ranges, sources=frozenset(), rules=RULES, units=KNOWN.units,
            flooding=Flooding(above=10, window_s=600, alarms=10))  # fmt: skip
NEVER = Known(ranges=KNOWN.ranges, sources=frozenset(), rules=RULES, units=KNOWN.units,
              flooding=Flooding(above=0, window_s=600, alarms=12))  # fmt: skip
OUT = 'see = "first_out"\ntag = "TK-912.level"\n'


@pytest.mark.parametrize(
    ("body", "known", "line", "said"),
    [
        ('see = "flood"\n', NEVER, 5, "the site knows no floods."),
        ('see = "flood"\n', DRY, 5, "the site has 10 alarms, and a flood begins above 10."),
        ('see = "flood"\nleast = 13\n', KNOWN, 6, "least is 13, and the site has 12 alarms."),
        ('see = "flood"\nfrom_s = 60\nover_by_s = 659\n', KNOWN, 7,
         "over_by_s is 659; a flood that begins at 60 s counts 600 s."),
        ('see = "flood"\nover_by_s = 2001\n', KNOWN, 6, "over_by_s is 2001, and the gateway is there for 2000 s."),
        ('see = "flood"\ntag = "TK-912.level"\n', KNOWN, 6, "tag says nothing where see is flood."),
        (OUT, KNOWN, 3, 'condition is missing; see = "first_out" needs it.'),
        (OUT + 'condition = "H"\nunit = "TK-915"\n', KNOWN, 8,
         "TK-912.level belongs to TK-912; it can never be the first-out of TK-915."),
        (OUT + 'condition = "H"\nunit = "TK-9"\n', KNOWN, 8, 'the site has no unit "TK-9".'),
        (OUT + 'condition = "HH"\n', KNOWN, 7,
         'TK-912.level has no rule of the kind "HH"; it can never ring.'),
        ('see = "suppressed"\ntag = "TK-912.level"\ncondition = "H"\n', KNOWN, 5,
         "no [[suppression]] of the site covers TK-912.level, so it always rings."),
        (('see = "suppressed"\ntag = "TK-912.level"\ncondition = "L"\n[[expect]]\nid = "y"\nsee = "alarm"\n'
         'tag = "TK-912.level"\ncondition = "L"\nfrom_s = 5\n'), KNOWN, 10,
         'it contradicts "x" in line 3: all the time that it may ring, it is to be suppressed.'),
    ],
)  # fmt: skip
def test_what_can_never_be_met_is_refused(body: str, known: Known, line: int, said: str, tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text(HEAD + body, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_scenario(path, lambda _site, _kind: known)

    assert [(m.line, m.sentence.partition(": ")[2]) for m in caught.value.mistakes] == [(line, said)]
    assert all(mistake.remedy for mistake in caught.value.mistakes)


def test_what_can_be_met_is_read_as_written(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text(
        HEAD + 'see = "flood"\nleast = 12\nover_by_s = 900\n'
        '[[expect]]\nid = "o"\n' + OUT + 'condition = "H"\nunit = "TK-912"\n'
        '[[expect]]\nid = "s"\nsee = "suppressed"\nrule = "TK-912.level.L"\n',
        encoding="utf-8",
    )  # fmt: skip
    flood, first, quiet = read_scenario(path, lambda _site, _kind: KNOWN).expectations

    assert (flood.see, flood.least, flood.over_by_s) == (See.FLOOD, 12, 900)
    assert (first.see, first.unit, first.condition) == (See.FIRST_OUT, "TK-912", "H")
    assert (quiet.see, quiet.rule) == (See.SUPPRESSED, "TK-912.level.L")
