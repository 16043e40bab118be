"""Load a whole site: everything it needs to start, or all its mistakes at once.

Flow: site file, tag tables, templates -> [load] -> Site
Why: a safety gateway refuses to start with a mistake, and lists all of them, each with file, line and remedy.
Never: starts with a mistake, repairs one silently, prints a secret.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from alerting.model.rule import Rule, RuleTable
from alerting.model.unit import HazardUnit
from edge.load import ConfigError, FieldDraft, Mistake, read_field
from edge.load.broker import PORT_MAX
from edge.load.entry import Entry
from edge.load.node import NodeSite, is_node_file, load_node
from edge.load.words import NODE_TABLES, keys_of
from edge.model import Nature, Tag, TagTable
from gateway.config import Site
from gateway.load.approval import read_approval
from gateway.load.call_out import read_call_out
from gateway.load.channel import read_channels
from gateway.load.chinese import both_languages, in_chinese
from gateway.load.commitment import read_commitment
from gateway.load.crowd import read_crowd
from gateway.load.derived import read_derived
from gateway.load.derived.model import join, learned_tags
from gateway.load.destination import read_destinations
from gateway.load.drill import read_drill
from gateway.load.duty import read_duties
from gateway.load.escalation import read_escalations
from gateway.load.hazard import read_hazards
from gateway.load.headquarters import read_headquarters
from gateway.load.incident import read_incident
from gateway.load.learned import provisional, read_learned, settle_learned
from gateway.load.no_data import warn_of_events
from gateway.load.outside import read_hosts, read_influx, read_metrics_token, read_node_broker, read_page_url
from gateway.load.overlay import NOTHING, Overlay, ReadOverlay, no_overlay
from gateway.load.own import parted, read_own
from gateway.load.philosophy import read_philosophy
from gateway.load.probe import read_probe
from gateway.load.profile import read_profiles
from gateway.load.quantity import read_quantities
from gateway.load.report import read_report_font
from gateway.load.report_mail import read_reports
from gateway.load.risk import read_risk
from gateway.load.roll_call import read_roll_call
from gateway.load.roster import read_roster
from gateway.load.rule import judge_refused, read_rules
from gateway.load.schedule import ScheduleReader
from gateway.load.suppression import read_suppressions
from gateway.load.ticket import read_ticket_suppressions
from gateway.load.tiering import read_tiering
from gateway.load.unit import read_tasks, read_units
from gateway.load.vote import Votes
from gateway.load.zone import read_zones

__all__ = ["ConfigError", "Mistake", "check_json", "check_text", "load"]

GOOD: Final = 0
WRONG: Final = 2  # Exit code of a bad configuration (design §5).

#: What check counts, in Chinese.
COUNTED_ZH: Final = {
    "source": "数据源", "tag": "位号", "derived tag": "计算位号", "unit": "危险源单元", "rule": "规则",
    "destination": "推送目的地",
}  # fmt: skip

RAW_DAYS_LEAST: Final = 30  # Legal minimum for records (design §4).
RAW_DAYS_MOST: Final = 36_500


def load(  # noqa: PLR0913, PLR0915 - each says another thing of one reading
    path: Path,
    *,
    environ: Mapping[str, str] | None = None,
    extra_tags: Sequence[Tag] = (),
    extra_rules: Sequence[Rule] = (),
    extra_units: Sequence[HazardUnit] = (),
    overlay: Overlay = NOTHING,
    warnings: list[Mistake] | None = None,
    files: Mapping[str, bytes] | None = None,
    is_learning: bool = False,
) -> Site:
    """Read a site file and all tables that it names.

    Args:
        path: The site file.
        environ: Where secrets and ``FENGSUI_DATA`` are taken from; the process's environment if not given.
        extra_tags: The gateway's own tags, appended after the checks, as are its rules and units.
        overlay: Rules and files that people changed while the gateway ran; read in place of those on disk.
        warnings: Takes what is doubtful but keeps nobody from starting, also where there are mistakes.
        files: Contents to take instead of those on disk, by path relative to the site file: a change that is tried.
        is_learning: Passes by what was learnt before; numbers that are to be learnt get provisional ones.

    Raises:
        ConfigError: The site has mistakes; it lists all of them.
    """
    environ = os.environ if environ is None else environ
    field = read_field(path, environ, {**overlay.contents, **(files or {})})
    root, entry = field.root, field.site
    for table in NODE_TABLES:
        if root.has(table):
            root.wrong(
                table,
                f"{table} is an edge node's; the gateway forwards to nobody.",
                f"Start this file with fengsui edge, or remove {table}.",
            )
    timezone = _timezone(entry)
    derived = read_derived([*root.sections("derived", "Derived tag"), *_template_derived(field)], field.tags, timezone)
    units = read_units([*root.sections("unit", "Unit"), *_template_units(field)], [*field.tags, *field.refused], root)
    roster = read_roster(root, [unit.id for unit in units])
    profiles = read_profiles(root.sections("profile", "Profile"), [unit.id for unit in units])
    destinations = read_destinations(root.sections("destination", "Destination"), profiles, field.site_id)
    channels = read_channels(root, [each.id for each in destinations], field.site_id)
    schedules = ScheduleReader(root.sections("schedule", "Schedule"), timezone or "UTC")
    unit_ids, channel_ids = [unit.id for unit in units], [each.id for each in channels]
    called = root.sections("escalation", "Escalation")
    escalations = read_escalations(called, roster, channel_ids, unit_ids, schedules)
    duties, reports = read_duties(root, roster, channel_ids), read_reports(root, roster, channels)
    entries, about_itself = parted([*root.sections("rule", "Rule"), *_template_rules(field)])
    learned_only = learned_tags(derived)
    asked = [*root.sections("vote", "Vote"), *_template_votes(field)]
    votes = Votes(asked, [unit.id for unit in units], learned_only)
    rules = read_rules(field.tags, entries, schedules, overlay, learned_only, votes)
    warn_of_events(field.sources, field.tags, rules)
    judge_refused(field.refused)
    crowd = read_crowd(root, unit_ids, channels, roster)
    quantities = read_quantities(root, unit_ids)
    own_rules = read_own(about_itself, [draft.source for draft in field.sources], crowd.shares, quantities)
    learned, artefact = None, root.section("learn")
    own_tags = [draft.tag for draft in field.tags]
    if is_learning:
        rules = provisional(rules)
    else:
        learned, artefact = read_learned(root, field.site_id, own_tags)
        rules = settle_learned(rules, own_tags, learned, artefact)
    derived = join(derived, learned, artefact, root)
    tasks = read_tasks(root.sections("task", "Task"), units)
    tiering = read_tiering(root.sections("tiering", "Tiering"), units, rules)
    drill, approval = read_drill(root, path), read_approval(root)
    suppressions, states = read_suppressions(root.sections("suppression", "Suppression"), field.tags, units, rules)
    tickets = root.sections("ticket_suppression", "Suppression by tickets")
    philosophy, risk = read_philosophy(root, rules, suppressions), read_risk(root)
    philosophy = replace(philosophy, tickets=read_ticket_suppressions(tickets, field.tags, units, rules))
    report_font = read_report_font(root, path)
    hazards, commitment = read_hazards(root, unit_ids), read_commitment(root)
    incident = read_incident(root, channel_ids)
    headquarters = read_headquarters(root.sections("headquarters", "Headquarters"), roster)
    call_out = read_call_out(root.sections("call_out", "Call-out"), roster, channel_ids, incident.channel)
    roll_call = read_roll_call(root)
    known_tags = {each.tag.name: each.tag for each in (*field.tags, *field.refused)}
    zones = read_zones(root.sections("zone", "Zone"), unit_ids, known_tags)
    http = _section(root, "http", "HTTP")
    history = _section(root, "history", "History")
    is_demonstration = entry.flag("demonstration", default=False)
    if is_demonstration:
        _check_demonstration(field)
    title = entry.titles("title", field.site_id)
    influx = read_influx(root)
    node_broker = read_node_broker(root, field.site_id)
    host = http.text("host", "127.0.0.1") or "127.0.0.1"
    port = http.whole("port", 8080, 1, PORT_MAX)
    hosts = read_hosts(http)
    page_url = read_page_url(http)
    metrics_token = read_metrics_token(http)
    probe_allow = read_probe(_section(root, "probe", "Probe"))
    raw_days = history.whole("raw_days", 90, RAW_DAYS_LEAST, RAW_DAYS_MOST)
    data = _data(entry, path, environ)
    if not root.has("destination"):
        root.warn(
            "destination",
            "the site has no destination; beside the people at its page nobody is told of an alarm.",
            "Add a [[destination]], or leave it so where somebody always watches the page.",
        )
    if warnings is not None:
        warnings += field.reading.warnings

    field.reading.mistakes.refuse()

    tags = TagTable([*(draft.tag for draft in field.tags), *extra_tags])
    return Site(
        id=field.site_id,
        title=title,
        timezone=timezone,
        sources=tuple(draft.source for draft in field.sources),
        tags=tags,
        units=(*units, *extra_units),
        rules=RuleTable([*rules, *states, *extra_rules], tags),
        destinations=tuple(destinations),
        channels=tuple(channels),
        reports=reports,
        escalations=tuple(escalations),
        duties=duties,
        tasks=tuple(tasks),
        tiering=tiering,
        philosophy=philosophy,
        risk=risk,
        hazards=hazards,
        commitment=commitment,
        crowd=crowd,
        quantities=quantities,
        incident=incident,
        headquarters=headquarters,
        call_out=call_out,
        roll_call=roll_call,
        zones=zones,
        report_font=report_font,
        roster=roster,
        drill=drill,
        approval=approval,
        influx=influx,
        node_broker=node_broker,
        data=data,
        host=host,
        port=port,
        hosts=hosts,
        page_url=page_url,
        metrics_token=metrics_token,
        probe_allow=probe_allow,
        raw_days=raw_days,
        revision=field.reading.revision,
        files=field.reading.contents,
        is_demonstration=is_demonstration,
        learned=learned,
        derived=tuple(derived),
        own_rules=own_rules,
    )


def _section(root: Entry, key: str, who: str) -> Entry:
    section = root.section(key)
    section.who = who
    section.refuse_unknown(keys_of(key))
    return section


def _template_units(field: FieldDraft) -> list[Entry]:
    return [entry for template in field.templates for entry in template.sections("unit", "Unit")]


def _template_rules(field: FieldDraft) -> list[Entry]:
    return [entry for template in field.templates for entry in template.tables("rule", "Rule")]


def _template_derived(field: FieldDraft) -> list[Entry]:
    return [entry for template in field.templates for entry in template.tables("derived", "Derived tag")]


def _template_votes(field: FieldDraft) -> list[Entry]:
    return [entry for template in field.templates for entry in template.tables("vote", "Vote")]


def _check_demonstration(field: FieldDraft) -> None:
    for draft in (*field.sources, *field.refused_sources):
        if draft.source.nature is not Nature.TEST:
            draft.entry.wrong(
                "nature",
                f"nature is {draft.source.nature}; the plant of a demonstration is simulated, and simulated is test.",
                'Write nature = "test", or remove demonstration = true.',
            )


def _timezone(entry: Entry) -> str:
    name = entry.required("timezone", "it is a name of the time zone database, e.g. Asia/Shanghai")
    if not name:
        return ""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        entry.wrong(
            "timezone",
            f'timezone "{name[:60]}" does not exist in the time zone database.',
            "Write a name such as Asia/Shanghai or UTC.",
        )
    return name


def _data(entry: Entry, path: Path, environ: Mapping[str, str]) -> Path:
    """Give the data folder: ``FENGSUI_DATA`` before the file; the file's path is relative to the file."""
    given = entry.text("data", "var")
    if not given or "\0" in given:
        entry.wrong("data", "data is no path of a folder.", 'Write data = "var".')
        return path.parent
    override = environ.get("FENGSUI_DATA", "")
    return Path(override) if override else path.parent / given


# ---- fengsui check


def check_text(
    path: Path,
    *,
    environ: Mapping[str, str] | None = None,
    kept: ReadOverlay = no_overlay,
    language: Literal["en", "zh"] = "en",
) -> tuple[str, int]:
    """Give what ``fengsui check`` prints, and its exit code: 0 right, 2 mistakes; warnings do not change it.

    Args:
        kept: Gives what a gateway's data folder keeps of rules changed while it ran; judged with the files.
        language: Of sentences and remedies.
    """
    is_chinese = language == "zh"
    warnings: list[Mistake] = []
    told: list[Mistake] = []
    try:
        site = _load_any(path, environ, warnings, kept)
    except ConfigError as error:
        told = error.mistakes
        verdict, code = f"{_number(len(told), 'mistake')}; put {'it' if len(told) == 1 else 'them'} right.", WRONG
        if is_chinese:
            verdict = f"{len(told)} 处错误,请改正。"
    else:
        verdict, code = _verdict_zh(site) if is_chinese else _verdict(site), GOOD
    shown = in_chinese if is_chinese else str
    lines = [shown(mistake) for mistake in told]
    if warnings:
        lines += ["提示(不必修改):" if is_chinese else "Warnings (nothing has to be changed):"]
        lines += [shown(warning) for warning in warnings]
        verdict += f"{len(warnings)} 条提示。" if is_chinese else f" {_number(len(warnings), 'warning')}."
    return "\n".join([*lines, f"{path}: {verdict}"]), code


def _verdict(site: Site | NodeSite) -> str:
    facts = ", ".join(_number(n, word) for word, n in _counts(site).items())
    who = f"Site {site.id}"
    if isinstance(site, NodeSite):
        who = f"Edge node {site.uplink.node} of site {site.id}, to {site.uplink.url}"
    return f"right. {who}: {facts}. Revision {site.revision[:12]}."


def _verdict_zh(site: Site | NodeSite) -> str:
    facts = "、".join(f"{COUNTED_ZH[word]} {n}" for word, n in _counts(site).items())
    who = f"站点 {site.id}"
    if isinstance(site, NodeSite):
        who = f"站点 {site.id} 的边缘节点 {site.uplink.node},接入 {site.uplink.url}"
    return f"正确。{who}:{facts}。修订 {site.revision[:12]}。"


def _load_any(
    path: Path, environ: Mapping[str, str] | None, warnings: list[Mistake], kept: ReadOverlay
) -> Site | NodeSite:
    """Load a file as what it is: an edge node's where it has an [uplink], else a gateway's."""
    if is_node_file(path):
        return load_node(path, environ=environ, warnings=warnings)
    site = load(path, environ=environ, warnings=warnings)
    overlay = kept(site.data)
    if not overlay:
        return site
    warnings += overlay.warnings()
    return load(path, environ=environ, overlay=overlay)


def check_json(
    path: Path, *, environ: Mapping[str, str] | None = None, kept: ReadOverlay = no_overlay
) -> tuple[str, int]:
    """Give what ``fengsui check --json`` prints, one object, and its exit code: 0 right, 2 mistakes."""
    warnings: list[Mistake] = []
    facts: dict[str, object] = {"ok": True, "file": str(path)}
    told: list[Mistake] = []
    try:
        site = _load_any(path, environ, warnings, kept)
    except ConfigError as error:
        facts["ok"] = False
        told = error.mistakes
    else:
        facts |= {"site": site.id, "revision": site.revision}
        if isinstance(site, NodeSite):
            facts["node"] = site.uplink.node
        facts |= {f"{word.replace(' ', '_')}s": n for word, n in _counts(site).items()}
    facts |= {
        "mistakes": [both_languages(mistake) for mistake in told],
        "warnings": [both_languages(warning) for warning in warnings],
    }
    return json.dumps(facts, ensure_ascii=False), GOOD if facts["ok"] else WRONG


def _number(n: int, word: str) -> str:
    return f"{n} {word}{'' if n == 1 else 's'}"


def _counts(site: Site | NodeSite) -> dict[str, int]:
    if isinstance(site, NodeSite):
        return {"source": len(site.sources), "tag": len(site.tags)}
    return {
        "source": len(site.sources),
        "tag": len(site.tags),
        **({"derived tag": len(site.derived)} if site.derived else {}),
        "unit": len(site.units),
        "rule": sum(not rule.is_hidden for rule in site.rules),
        "destination": len(site.destinations),
    }
