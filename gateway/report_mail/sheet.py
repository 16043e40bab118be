"""Sheet: the figures of a period as a table, the same for a page of HTML and a workbook."""

from datetime import datetime
from html import escape
from typing import Any, Final
from zoneinfo import ZoneInfo

from alerting.kpi import MIX, PRIORITY, TARGETS
from alerting.kpi_period import Figures
from alerting.model.tier import Tier
from alerting.nuisance import Nuisance
from edge.load.workbook import write_workbook
from edge.model import Nature
from gateway.config import Site
from gateway.figures import NS
from gateway.report_mail.words import WORDS

MEDIA: Final = {
    "html": "text/html; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def shown(got: Figures) -> dict[str, Any]:
    """Give figures as JSON values, each target with its source and whether it is met."""
    load = got.load
    values: dict[str, float | None] = {target.figure: getattr(load, target.figure) for target in TARGETS}
    return {
        "alarms": load.alarms,
        "targets": [
            {
                "figure": target.figure,
                "value": values[target.figure],
                "most": target.most,
                "is_strict": target.is_strict,
                "source": target.source,
                "is_verified": target.is_verified,
                "is_met": None if (value := values[target.figure]) is None else target.is_met(value),
            }
            for target in TARGETS
        ],
        "floods": load.floods,
        "active_max": load.active_max,
        "standing": got.standing,
        "chattering": got.chattering,
        "fleeting": got.fleeting,
        "by_tier": load.by_tier,
        "mix": {
            name: {
                "target": share,
                "value": sum(load.by_tier[tier.name] for tier in Tier if PRIORITY.get(tier) == name),
            }
            for name, share in MIX.items()
        },
        "periods": got.periods.tolist(),
        "hours": got.hours.tolist(),
        "top": [{"tag": a.tag, "unit": a.unit, "group": a.group, "count": a.count, "share": a.share} for a in got.top],
        "answers": {
            name: {
                "acknowledged": one.acknowledged,
                "never": one.never,
                "median_s": one.median_s,
                "p90_s": one.p90_s,
                "longest_s": one.longest_s,
            }
            for name, one in got.answers.items()
        },
        "quiet": got.quiet,
    }


Lines = list[list[str | float]]


def report_lines(
    got: Figures, site: Site, period: tuple[int, int], nature: Nature, lang: str, post: str
) -> Lines:  # fmt: skip
    """Give a report as a table: figure, value, target, met, source; the same for both forms."""
    words = WORDS[lang]
    zone = ZoneInfo(site.timezone)
    begin, end = (datetime.fromtimestamp(ns // NS, zone).isoformat(sep=" ", timespec="minutes") for ns in period)
    told = shown(got)
    title = site.title.get(lang, site.id)
    lines: Lines = [[f"{nature.prefix}{words['title']} {title}", f"{begin} – {end}", post, "", ""]]
    lines.append([words[name] for name in ("figure", "value", "target", "met", "source")])
    lines.append([words["alarms"], told["alarms"], "", "", ""])
    for one in told["targets"]:
        value = "–" if one["value"] is None else round(one["value"], 4)
        sign = "<" if one["is_strict"] else "≤"
        met = "–" if one["is_met"] is None else words["yes"] if one["is_met"] else words["no"]
        lines.append([words[one["figure"]], value, f"{sign} {one['most']:g}", met, one["source"]])
    lines += [[words[name], told[name], "", "", ""] for name in ("floods", "active_max", "standing")]
    lines += [
        [words[name], told[name], "0", words["yes"] if not told[name] else words["no"], ""]
        for name in ("chattering", "fleeting")
    ]
    lines += [
        [f"{words['mix']}: {words[name]}", round(m["value"], 4), f"~{m['target']:g}", "", ""]
        for name, m in told["mix"].items()
    ]
    lines.append([words["top"], words["count"], words["share"], "", ""])
    lines += [
        [f"{one['tag'] or one['unit']} {one['group']}", one["count"], round(one["share"], 4), "", ""]
        for one in told["top"]
    ]
    lines.append([words["answers"], words["acknowledged"], words["never"], words["median"], words["p90"]])
    for name, one in told["answers"].items():
        medians = [round(one[key], 1) if one[key] is not None else "–" for key in ("median_s", "p90_s")]
        lines.append([words[name], one["acknowledged"], one["never"], *medians])
    lines += [[words[name], count, "", "", ""] for name, count in told["quiet"].items()]
    return lines


def nuisance_lines(found: list[Nuisance], site: Site, lang: str) -> Lines:
    """Give the nuisance alarms of a report: each with its counts, and what would quiet it."""
    words = WORDS[lang]
    lines: Lines = [[words["nuisances"], words["activations"], words["chattering"], words["fleeting"], words["advice"]]]
    if not found:
        return [[words["nuisances"], 0, "0", words["yes"], ""]]
    for one in found:
        row = site.tags.row_of.get(one.tag)
        eu = site.tags[row].eu if row is not None else ""
        name = f"{one.tag or one.unit} {one.rule or one.group}"
        lines.append([name, one.activations, one.chattering, one.fleeting, ""])
        for each in one.advice:
            unit = eu if each.field == "deadband" else "s"
            change = "" if each.proposed is None else f": {each.now:g} → {each.proposed:g} {unit}"
            lines.append([f"  {words[each.field]}{change}", "", "", "", f"{each.reason[lang]} ({words['ours']})"])
    return lines


def written(lines: Lines, form: str, lang: str) -> bytes:
    """Write a report as a page of HTML to print, or as a workbook."""
    return write_workbook(WORDS[lang]["sheet"], lines, {}, {}) if form == "xlsx" else _html(lines, lang).encode()


def _html(lines: Lines, lang: str) -> str:
    rows = "".join("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in line) + "</tr>" for line in lines[1:])
    title = escape(" ".join(str(cell) for cell in lines[0] if cell))
    style = "body{font:14px sans-serif;margin:24px}td{border-bottom:1px solid #ccc;padding:4px 12px}"
    return (
        f'<!doctype html><html lang="{"zh-CN" if lang == "zh" else "en"}"><meta charset="utf-8"><title>{title}</title>'
        f"<style>{style}</style><h1>{title}</h1><table>{rows}</table></html>"
    )
