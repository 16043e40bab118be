"""Roster of the demonstration: four crews that take turns, for whatever date it is played on.

Why: an alarm page that says "nobody on duty" teaches that the line may be passed by.
Never: takes the place of what people entered, makes a user who could log in: these have no password.
"""

from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from alerting.roster.plan import NS
from alerting.roster.watch import Watch
from gateway.auth import Role, User, find_user, insert_user
from gateway.config import Site
from gateway.roster.book import Contact, exchange, put_contact, watches

WHO: Final = "demonstration"
DAYS_BACK, DAYS_AHEAD = 1, 45
#: By post, one of each crew: user, and what people call him.
CREWS: Final = {
    "leader": (("chen.jian", "陈建"), ("liu.hong", "刘宏"), ("zhao.min", "赵敏"), ("sun.wei", "孙伟")),
    "control-room": (("li.na", "李娜"), ("wang.lei", "王磊"), ("zhou.jie", "周杰"), ("wu.ting", "吴婷")),
}


def seed_roster(site: Site, engine: Engine, now_ns: int) -> int:
    """Fill the shifts of the next weeks that nobody fills; give how many."""
    zone = ZoneInfo(site.timezone)
    today = datetime.fromtimestamp(now_ns // NS, zone).date()
    days = [today + timedelta(days=n) for n in range(-DAYS_BACK, DAYS_AHEAD + 1)]
    with engine.begin() as connection:
        known = {(each.date, each.shift, each.post) for each in watches(connection, days[0], days[-1])}
        found = [
            Watch(number=0, date=on, shift=shift, post=post.id, person=crew[_turn(on, place)][0])
            for on in days
            for post in site.roster.posts
            if (crew := CREWS.get(post.id)) is not None
            for place, shift in enumerate(post.shifts)
            if (on, shift, post.id) not in known
        ]
        for crew in CREWS.values():
            for name, title in crew:
                if find_user(connection, name) is None:
                    insert_user(connection, User(name=name, role=Role.OPERATOR, created_ns=now_ns), "")
                    put_contact(connection, Contact(person=name, title=title), WHO, now_ns)
        exchange(connection, [], found, WHO, now_ns)
    return len(found)


def _turn(on: date, place: int) -> int:
    """Give the crew of a day's first or second shift: each works one shift in two days, never two in a row."""
    return (2 * (on.toordinal() % 2) + place) % 4
