"""The shift that runs and the one before it, over midnight, holidays and where the clocks change."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from alerting.roster.period import turns_around
from alerting.roster.plan import NS, Calendar, On, Post, RosterPlan, Shift

ZONE = ZoneInfo("Asia/Shanghai")
H = 3600
DAY = Shift(id="day", title={}, from_s=8 * H, to_s=20 * H)
NIGHT = Shift(id="night", title={}, from_s=20 * H, to_s=8 * H)
OFFICE = Shift(id="office", title={}, from_s=9 * H, to_s=17 * H, on=On.WORKDAYS)
POSTS = (Post(id="board", title={}, shifts=("day", "night")), Post(id="boss", title={}, shifts=("office",)))
PLAN = RosterPlan(shifts=(DAY, NIGHT, OFFICE), posts=POSTS)


def ns(text: str, zone: ZoneInfo = ZONE) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()) * NS


def around(at: str, post: str = "board", plan: RosterPlan = PLAN, zone: ZoneInfo = ZONE) -> list[tuple[str, int, int]]:
    found = turns_around(plan, ns(at, zone), zone, lambda on: None, post)
    return [("-", 0, 0) if one is None else (one.shift, one.from_ns, one.to_ns) for one in found]


def test_the_night_belongs_to_the_day_on_which_it_began() -> None:
    night = ("night", ns("2026-11-20T20:00"), ns("2026-11-21T08:00"))
    day = ("day", ns("2026-11-20T08:00"), ns("2026-11-20T20:00"))
    assert around("2026-11-21T03:00") == [night, day]
    assert around("2026-11-21T07:59:59") == [night, day]
    assert around("2026-11-21T08:00")[1] == night, "a shift ends where the next begins"


def test_a_post_of_workdays_has_no_shift_on_a_sunday_and_its_last_one_was_on_friday() -> None:
    friday = ("office", ns("2026-11-20T09:00"), ns("2026-11-20T17:00"))
    assert around("2026-11-22T12:00", "boss") == [("-", 0, 0), friday]
    assert around("2026-11-23T12:00", "boss")[0][0] == "office"


def test_of_several_that_run_it_is_the_one_that_began_last() -> None:
    assert around("2026-11-20T12:00", "")[0][0] == "office"
    assert around("2026-11-20T18:00", "")[0][0] == "day"


def test_a_night_on_which_clocks_change_has_its_own_length() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    (_, begin, end), _ = around("2026-10-25T05:00", zone=berlin)
    assert (end - begin) // NS == 13 * H


def test_a_site_without_shifts_has_none_and_a_holiday_of_the_plant_is_one() -> None:
    assert turns_around(RosterPlan(), ns("2026-11-20T12:00"), ZONE, lambda on: None) == (None, None)
    closed = RosterPlan(calendar=Calendar(rest=(date(2026, 11, 20),)), shifts=(OFFICE,), posts=POSTS)
    assert around("2026-11-20T12:00", "boss", closed)[0] == ("-", 0, 0)
