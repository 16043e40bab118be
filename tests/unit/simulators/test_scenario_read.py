"""Scenario files: what can be played is read as written; what cannot is refused, all of it, with line and remedy."""

from pathlib import Path

import pytest

from edge.load.mistake import ConfigError
from simulators.plant.kinds import PLANTS
from simulators.plant.port import PlantKind
from simulators.scenario import Known, Scenario, See, Tripping, find_scenario, read_scenario
from simulators.scenario.act_words import UNITS_ZH, VERBS, unit_of
from simulators.scenario.read import KEYS

RULES = (
    Tripping(rule="TK-912.level.HH", tag="TK-912.level", condition="HH", unit="TK-912", tier="RED", on_delay_s=10.0),
    Tripping(rule="TK-912.level.H", tag="TK-912.level", condition="H", unit="TK-912", tier="YELLOW", on_delay_s=10.0),
    Tripping(
        rule="TK-912.level.FROZEN", tag="TK-912.level", condition="FROZEN", unit="TK-912", tier="ORANGE", least_s=180.0
    ),
    Tripping(rule="TK-915.level.STALE", tag="TK-915.level", condition="STALE", unit="TK-915", tier="BLUE"),
)
KNOWN = Known(
    ranges={"TK-912.level": (0.0, 15.0), "TK-915.level": (0.0, 15.0), "TK-912.note": (float("nan"), float("nan"))},
    sources=frozenset({"depot-1"}),
    rules=RULES,
    units={"TK-912": "RED", "TK-915": "BLUE"},
    told_from="YELLOW",
)
HEAD = 'title = { en = "T", zh = "题" }\nplant = "petrol-depot"\nlasts_s = 600\n'


def known_of(_site: Path | None, _kind: PlantKind) -> Known:
    return KNOWN


def read(tmp_path: Path, body: str, head: str = HEAD, known: Known = KNOWN) -> Scenario:
    path = tmp_path / "s.toml"
    path.write_text(head + body, encoding="utf-8")
    return read_scenario(path, lambda _site, _kind: known)


def refused(tmp_path: Path, body: str, head: str = HEAD, known: Known = KNOWN) -> list[tuple[int, str, str]]:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, body, head, known)
    assert all(mistake.remedy for mistake in caught.value.mistakes)
    return [(mistake.line, mistake.path, mistake.sentence) for mistake in caught.value.mistakes]


ALARM = '[[expect]]\nid = "a"\nsee = "alarm"\ntag = "TK-912.level"\ncondition = "HH"\n'


def test_a_whole_scenario_is_read_as_written(tmp_path: Path) -> None:
    one = read(
        tmp_path,
        'begins = 2005-12-11T02:55:00+01:00\nforward_s = 60\nafter_s = 100\nstep_s = 4\nseed = 9\n'
        '[[act]]\nat_s = 650\nverb = "inlet"\nunit = "TK-912"\namount = 890\n'
        '[[act]]\nat_s = -60\nverb = "inlet"\nunit = "TK-912"\namount = 550\nsay = { en = "It fills." }\n'
        '[[fault]]\nat_s = 10\nfor_s = 30\ntag = "TK-912.level"\nkind = "bias"\namount = -0.5\n'
        '[[fault]]\nat_s = 10\nsource = "depot-1"\nkind = "dropout"\n'
        + ALARM
        + 'from_s = 23\nuntil_s = 26\n'
        '[[expect]]\nid = "t"\nsee = "tier"\nunit = "TK-912"\ntier = "ORANGE"\n'
        'before = "TK-912 runs over"\nlead_s = 60\n'
        '[[expect]]\nid = "q"\nsee = "quiet"\ntag = "TK-915.level"\n'
        '[[expect]]\nid = "n"\nsee = "notice"\nrule = "TK-912.level.HH"\nwithin_s = 5\n',
    )  # fmt: skip

    assert (one.kind.name, one.begins_ns, one.forward_s, one.lasts_s) == ("petrol-depot", 1134266100 * 10**9, 60, 600)
    assert (one.after_s, one.step_s, one.seed) == (100, 4, 9)
    assert [(m.at_s, m.act.amount, m.say) for m in one.moments] == [
        (-60, 550, {"en": "It fills.", "zh": "It fills."}),
        (650, 890, {"en": "TK-912: inlet, 890 m³/h.", "zh": "TK-912:进料 890 m³/h。"}),
    ]  # fmt: skip
    assert [(f.kind, f.target, f.from_s, f.until_s, f.amount) for f in one.faults] == [
        ("bias", "TK-912.level", 10, 40, -0.5), ("dropout", "depot-1", 10, float("inf"), 0),
    ]  # fmt: skip
    alarm, tier, quiet, notice = one.expectations
    assert (alarm.see, alarm.condition, alarm.from_s, alarm.until_s) == (See.ALARM, "HH", 23, 26)
    assert (tier.tier, tier.before, tier.lead_s, tier.until_s) == ("ORANGE", "TK-912 runs over", 60, 600)
    assert (quiet.tag, quiet.from_s, quiet.until_s) == ("TK-915.level", 0, 600)
    assert (notice.rule, notice.within_s) == ("TK-912.level.HH", 5)


def test_an_act_may_come_again_to_the_end_and_a_run_may_last_a_week(tmp_path: Path) -> None:
    again = '[[act]]\nat_s = -30\nevery_s = 200\nverb = "inlet"\nunit = "TK-912"\namount = 5\n'
    one = read(tmp_path, "forward_s = 60\nafter_s = 10\n" + again)
    week = read(tmp_path, "lasts_s = 691200\n", head='plant = "petrol-depot"\n')

    assert [moment.at_s for moment in one.moments] == [-30, 170, 370, 570]
    assert {moment.act.amount for moment in one.moments} == {5}
    assert week.lasts_s == 8 * 86_400


@pytest.mark.parametrize(
    ("every_s", "said"),
    [
        ("59", "every_s is 59; it must be a number from 60 to 691200."),
        ("-200", "every_s is -200; it must be a number from 60 to 691200."),
        ("601", "every_s is 601; from 0 s it never comes again, the plant runs for 600 s."),
        ('"daily"', 'every_s is "daily"; it must be a number from 60 to 691200.'),
    ],
)
def test_an_act_that_comes_again_too_often_or_never_is_refused(every_s: str, said: str, tmp_path: Path) -> None:
    body = f'[[act]]\nat_s = 0\nverb = "inlet"\nevery_s = {every_s}\nunit = "TK-912"\namount = 5\n'

    assert refused(tmp_path, body) == [(7, "act[0].every_s", f"Act 1: {said}")]


def test_all_mistakes_come_at_once_with_their_lines(tmp_path: Path) -> None:
    body = (
        '[[act]]\nat_s = -1\nverb = "inlet"\nunit = "TK-9"\namount = -5\n'  # lines 4 to 8
        '[[fault]]\nat_s = 5\nfor_s = -3\ntag = "TK-912.levle"\nkind = "frozen"\n'  # 9 to 13
        '[[expect]]\nid = "x"\nsee = "alarm"\ntag = "nope"\ncondition = "HH"\nuntil_s = 900\n'  # 14 to 19
    )

    assert refused(tmp_path, body) == [
        (5, "act[0].at_s", "Act 1: at_s is -1; it must be a number of at least 0."),
        (7, "act[0].unit", 'Act 1: the plant petrol-depot has no unit "TK-9" that can inlet.'),
        (8, "act[0].amount", "Act 1: amount is -5; it must be a number from 0 to 1500."),
        (11, "fault[0].for_s", "Fault 1: for_s is -3; it must be a number above 0 and up to 86400."),
        (12, "fault[0].tag", 'Fault 1: the site has no tag "TK-912.levle".'),
        (17, "expect[0].tag", 'Expectation x: the site has no tag "nope".'),
        (19, "expect[0].until_s", "Expectation x: until_s is 900, and the gateway is there for 600 s."),
    ]


MISTAKES = {
    "an unknown key": (ALARM + "untl_s = 5\n", 'key "untl_s" is not known'),
    "a window that ends before it begins": (ALARM + "from_s = 30\nuntil_s = 20\n", "nothing can be in it"),
    "a window too early for the delay": (ALARM + "until_s = 5\n", "TK-912.level.HH needs 10 s before it can ring"),
    "a condition that the tag has no rule for": (ALARM.replace('"HH"', '"LL"'), 'no rule of the kind "LL"'),
    "an unknown rule": ('[[expect]]\nid = "a"\nsee = "alarm"\nrule = "x"\n', 'no rule "x"'),
    "tag and rule at once": (ALARM + 'rule = "TK-912.level.HH"\n', "by tag and condition, or by rule"),
    "a tag without its condition": (
        '[[expect]]\nid = "a"\nsee = "alarm"\ntag = "TK-912.level"\n', "condition is missing",
    ),
    "an unknown unit": ('[[expect]]\nid = "a"\nsee = "tier"\nunit = "TK-1"\ntier = "RED"\n', 'no unit "TK-1"'),
    "a tier out of reach": (
        '[[expect]]\nid = "a"\nsee = "tier"\nunit = "TK-915"\ntier = "RED"\n', "can never reach RED; its rules and",
    ),
    "a tier without its tier": ('[[expect]]\nid = "a"\nsee = "tier"\nunit = "TK-915"\n', "tier is missing"),
    "an unknown milestone": (ALARM + 'before = "doomsday"\n', 'no milestone "doomsday"'),
    "a lead longer than the plant runs": (
        ALARM + 'before = "TK-912 runs over"\nlead_s = 601\n', "never come late enough",
    ),
    "the same by tag and by its rule's id": (
        ALARM + '[[expect]]\nid = "b"\nsee = "alarm"\nrule = "TK-912.level.HH"\n', 'overlaps with "a" in line 4',
    ),
    "a lead before nothing": (ALARM + "lead_s = 5\n", "there is none"),
    "quiet of nobody": ('[[expect]]\nid = "a"\nsee = "quiet"\n', "said of a tag or of a unit"),
    "quiet of a tag without rules": (
        '[[expect]]\nid = "a"\nsee = "quiet"\ntag = "TK-912.note"\n', "it is always quiet",
    ),
    "a notice that nobody gets": (
        '[[expect]]\nid = "a"\nsee = "notice"\nrule = "TK-915.level.STALE"\nwithin_s = 5\n',
        "nobody is told below YELLOW",
    ),
    "a notice without its time": (
        '[[expect]]\nid = "a"\nsee = "notice"\nrule = "TK-912.level.H"\n', "within_s is missing",
    ),
    "a key of another kind": (ALARM + "within_s = 5\n", "says nothing where see is alarm"),
    "an expectation without a name": (ALARM.replace('id = "a"\n', ""), "id is missing"),
    "one name twice": (ALARM + ALARM.replace("HH", "H"), 'id "a" stands in line 4 already'),
    "the same in windows that meet": (
        ALARM + "until_s = 100\n" + ALARM.replace('"a"', '"b"') + "from_s = 90\n", 'overlaps with "a" in line 4',
    ),
    "ringing while it is to be quiet": (
        ALARM + 'from_s = 50\nuntil_s = 60\n[[expect]]\nid = "q"\nsee = "quiet"\nunit = "TK-912"\n',
        "all the time that TK-912 may ring, it is to be quiet",
    ),
    "a fault of a line on a tag": (
        '[[fault]]\nat_s = 1\ntag = "TK-912.level"\nkind = "dropout"\n', "fault of a source, not of a tag",
    ),
    "a fault of a value on a source": (
        '[[fault]]\nat_s = 1\nsource = "depot-1"\nkind = "frozen"\n', "fault of a tag, not of a source",
    ),
    "a source that there is not": ('[[fault]]\nat_s = 1\nsource = "plc"\nkind = "silent"\n', 'no source "plc"'),
    "a fault without its amount": (
        '[[fault]]\nat_s = 1\ntag = "TK-912.level"\nkind = "bias"\n', "bias takes engineering units",
    ),
    "an amount for nothing": (
        '[[fault]]\nat_s = 1\ntag = "TK-912.level"\nkind = "frozen"\namount = 1\n', "frozen takes no amount",
    ),
    "a cut wire without currents": (
        '[[fault]]\nat_s = 1\ntag = "TK-912.note"\nkind = "cut"\n', "has no range, so no current",
    ),
    "a fault after the end": ('[[fault]]\nat_s = 700\ntag = "TK-912.level"\nkind = "frozen"\n', "is there for 600 s"),
    "an unknown verb": ('[[act]]\nat_s = 1\nverb = "explode"\nunit = "TK-912"\n', 'verb is "explode"'),
    "an act without its amount": ('[[act]]\nat_s = 1\nverb = "inlet"\nunit = "TK-912"\n', "inlet takes m³/h"),
    "an act at no time": ('[[act]]\nverb = "inlet"\nunit = "TK-912"\namount = 1\n', "at_s is missing"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_refused(name: str, tmp_path: Path) -> None:
    body, said = MISTAKES[name]
    found = refused(tmp_path, body)

    assert [sentence for _, _, sentence in found if said in sentence], found


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ('plant = "reactor"\nlasts_s = 5\n', 'plant is "reactor"'),
        ('plant = "petrol-depot"\n', "lasts_s is missing"),
        ('plant = "petrol-depot"\nlasts_s = -5\n', "lasts_s is -5"),
        (HEAD + "begins = 2026-01-01T00:00:00\n", "with its offset"),
        (HEAD + 'site = "elsewhere.toml"\n', "does not exist beside the scenario"),
        (HEAD + "step_s = 0\n", "step_s is 0"),
        (HEAD + "step_s = 35\n", "lasts_s is 600, no whole number of steps of 35 s"),
        (HEAD + "step_s = 4\nafter_s = 2\n", "after_s is 2, no whole number of steps of 4 s"),
    ],
)
def test_a_wrong_head_is_refused(head: str, said: str, tmp_path: Path) -> None:
    assert any(said in sentence for _, _, sentence in refused(tmp_path, "", head))


@pytest.mark.parametrize(
    "head",
    [HEAD.replace("600", "-600"), HEAD.replace("lasts_s = 600\n", ""), HEAD + 'forward_s = -1\nafter_s = "long"\n'],
)
def test_a_wrong_length_is_one_mistake_and_not_one_of_every_time_in_the_file(head: str, tmp_path: Path) -> None:
    body = '[[act]]\nat_s = 300\nverb = "inlet"\nunit = "TK-912"\namount = 550\n' + ALARM + "until_s = 500\n"
    wrong = {path for _, path, _ in refused(tmp_path, body, head)}
    assert wrong <= {"lasts_s", "forward_s", "after_s"}


def test_tenths_of_a_second_are_whole_steps(tmp_path: Path) -> None:
    scenario = read(tmp_path, "", HEAD.replace("600", "0.3") + "step_s = 0.1\nforward_s = 0.7\n")
    assert (scenario.lasts_s, scenario.step_s) == (0.3, 0.1)


def test_a_remedy_leaves_out_nothing_that_must_be_there(tmp_path: Path) -> None:
    body = '[[act]]\nat_s = -1\nverb = "inlet"\nunit = "TK-912"\namount = -3\n'
    path = tmp_path / "s.toml"
    path.write_text(HEAD + body, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_scenario(path, known_of)
    assert [(each.path, each.remedy) for each in caught.value.mistakes] == [
        ("act[0].at_s", "Write such a number."),
        ("act[0].amount", "Write such a number."),
    ]


def test_windows_that_only_touch_what_is_quiet_are_no_contradiction(tmp_path: Path) -> None:
    """Quiet until 50 s, an alarm at any time: it can ring after 50 s."""
    both = read(tmp_path, ALARM + '[[expect]]\nid = "q"\nsee = "quiet"\nunit = "TK-912"\nuntil_s = 50\n')

    assert len(both.expectations) == 2


def test_a_graver_alarm_may_be_quiet_while_a_lighter_one_rings(tmp_path: Path) -> None:
    quiet = '[[expect]]\nid = "q"\nsee = "quiet"\nunit = "TK-912"\ntier = "RED"\n'

    assert len(read(tmp_path, ALARM.replace('"HH"', '"H"') + quiet).expectations) == 2
    assert len(refused(tmp_path, ALARM + quiet)) == 1


def test_a_site_without_an_authority_tells_nobody(tmp_path: Path) -> None:
    body = '[[expect]]\nid = "n"\nsee = "notice"\nrule = "TK-912.level.HH"\nwithin_s = 5\n'
    known = Known(ranges=KNOWN.ranges, sources=KNOWN.sources, rules=RULES, units=KNOWN.units)

    assert "has no destination" in refused(tmp_path, body, known=known)[0][2]


def test_no_such_scenario_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="buncefield"):
        find_scenario("bunce")
    assert find_scenario("buncefield").is_file()
    with pytest.raises(ConfigError, match="There is no scenario"):
        find_scenario("nowhere/at/all.toml")


def test_the_page_lists_every_key_plant_verb_and_milestone() -> None:
    page = Path("docs/simulators.md").read_text(encoding="utf-8")
    keys = {key for keys in KEYS.values() for key in keys} - {"completes_s"}  # The demonstration's own.

    assert [key for key in sorted(keys) if f"`{key}`" not in page and f"\n{key} =" not in page] == []
    for kind in PLANTS.values():
        assert f"| `{kind.name}` |" in page
        assert [verb for verb in kind.verbs if f"`{verb}`:" not in page] == []
        assert [milestone for milestone in kind.milestones if f"`{milestone}`" not in page] == []


def test_every_act_of_every_plant_has_words_in_both_languages() -> None:
    verbs = [(name, can) for kind in PLANTS.values() for name, can in kind.verbs.items()]
    symbols = {"", "m³/h", "mm", "mm/h", "s", "m", "m/s", "m³/s", "kg/s", "Nm³/h", "°C"}

    assert {name for name, _ in verbs} == set(VERBS)
    assert {unit_of(can) for _, can in verbs} - set(UNITS_ZH) <= symbols
