"""Report: what ``[[report_mail]]`` says of figures that are mailed shift by shift, day by day or month by month."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal, cast

from alerting.report.plan import FORMS, SPANS, ReportPlan, Span
from alerting.roster.plan import RosterPlan
from edge.load.entry import Entry
from edge.load.entry import Span as Numbers
from edge.load.mistake import meant, show
from edge.load.words import ID_RULE, LANGUAGES, is_id, keys_of
from gateway.config import Destination
from gateway.load.mail import ADDRESS
from gateway.load.schedule import read_clock

AT_S: Final = 28_800.0
DAY_S: Final = 86_400.0
AFTER_MINUTES: Final = Numbers(least=1, most=720)
RECEIVERS_MOST: Final = 50


def read_reports(root: Entry, roster: RosterPlan, channels: Sequence[Destination]) -> tuple[ReportPlan, ...]:
    """Read them.

    Args:
        root: The site file.
    """
    known = {channel.id: channel for channel in channels}
    found: dict[str, ReportPlan] = {}
    for entry in root.sections("report_mail", "Report mail"):
        entry.refuse_unknown(keys_of("report_mail"))
        name = entry.required("id", ID_RULE, is_id)
        if name in found:
            entry.wrong("id", "id stands twice.", "Give each report its own id.")
        found.setdefault(name, _read(entry, name, roster, known))
    return tuple(found.values())


def _read(entry: Entry, name: str, roster: RosterPlan, channels: Mapping[str, Destination]) -> ReportPlan:
    span = cast(Span, entry.choice("span", SPANS, ""))
    post = entry.text("post")
    if post and roster.post(post) is None:
        entry.wrong("post", f"post {show(post)} does not exist.", meant(post, [each.id for each in roster.posts]))
    if span == "shift":
        if entry.has("at"):
            entry.wrong("at", "at is not for a report of a shift.", "Write after_minutes, counted from its end.")
        if not roster.shifts:
            entry.wrong("span", "the site has no [[shift]].", "Add its shifts, or report by day.")
    elif entry.has("after_minutes"):
        entry.wrong("after_minutes", "after_minutes is for a report of a shift.", 'Write at, e.g. "08:00".')
    at_s = read_clock(entry, "at") if entry.has("at") else AT_S
    if at_s == DAY_S:
        entry.wrong("at", 'at is "24:00"; a day begins at 00:00.', 'Write at = "08:00".')
    return ReportPlan(
        id=name,
        span=span,
        channel=_channel(entry, channels),
        to=_receivers(entry),
        at_s=AT_S if at_s is None else at_s,
        after_s=entry.number("after_minutes", 10.0, AFTER_MINUTES) * 60,
        forms=_forms(entry),
        lang=cast(Literal["zh", "en"], entry.choice("language", LANGUAGES, "zh")),
        post=post,
    )


def _channel(entry: Entry, channels: Mapping[str, Destination]) -> str:
    name = entry.required("channel", "it is the id of a [[channel]] that sends mails")
    if not name:
        return ""
    channel = channels.get(name)
    mails = [each.id for each in channels.values() if each.reach and each.reach.kind == "mail"]
    if channel is None:
        entry.wrong("channel", f"channel {show(name)} does not exist.", meant(name, mails))
    elif name not in mails:
        entry.wrong("channel", f"channel {name} sends no mails.", "Name a [[channel]] whose kind is mail.")
    return name


def _receivers(entry: Entry) -> tuple[str, ...]:
    names = entry.texts("to")
    if not 0 < len(names) <= RECEIVERS_MOST:
        entry.wrong(
            "to", f"to has {len(names)} addresses; a report has 1 to {RECEIVERS_MOST}.",
            'Write to = ["safety@plant.example"].',
        )  # fmt: skip
    for place, one in enumerate(names):
        if not ADDRESS.fullmatch(one):
            entry.wrong(("to", place), f"{show(one)} is no e-mail address.", 'Write "control-room@plant.example".')
    return tuple(dict.fromkeys(names))


def _forms(entry: Entry) -> tuple[str, ...]:
    if not entry.has("forms"):
        return FORMS
    names = entry.texts("forms")
    if not names:
        entry.wrong("forms", "forms is empty; the mail would bring nothing.", 'Write forms = ["html", "xlsx"].')
    for place, one in enumerate(names):
        if one not in FORMS:
            entry.wrong(("forms", place), f"form {show(one)} is one of {', '.join(FORMS)}.", meant(one, FORMS))
    return tuple(dict.fromkeys(one for one in names if one in FORMS))
