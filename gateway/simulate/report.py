"""The report of a run: one HTML file with pictures, in Chinese and English, that needs nothing else.

Why: it is handed on, printed and filed; so no script, no font, no picture from elsewhere, and every name is escaped.
"""

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gateway.backtest.page import STYLE
from gateway.simulate.play import Played
from simulators.scenario import Event

WIDTH, HEIGHT = 720, 190  # Of a picture, in its own units; it fills the width that it is given.
LEFT, RIGHT, TOP, BOTTOM, SPACE = 84, 12, 26, 22, 16
TAGS_MAX, QUIET_TAGS, EVENTS_MAX, POINTS_MAX = 16, 3, 300, 700
LARGE = 1000.0  # From here on an axis needs no decimals.
RINGING = {"raised", "escalated"}
WHAT = {
    "raised": "产生", "escalated": "升级", "lowered": "降级", "changed": "变更", "returned": "恢复正常",
    "realarmed": "重新报警", "cleared": "消除", "unit_raised": "单元升级", "unit_lowered": "单元降级",
}  # fmt: skip
TIER_ZH = {"NONE": "无", "BLUE": "蓝", "YELLOW": "黄", "ORANGE": "橙", "RED": "红"}
STAGES = {
    "physics alone": "仅物理模型", "plant": "装置", "instruments and lines": "仪表与线路", "commit": "事务提交",
    "intake and core": "接入与判定", "historian": "历史库", "recording": "运行记录", "books and marks": "账目与进度",
    "telling": "实时推送", "idle ticks": "空闲节拍", "event loop, rest": "事件循环及其余", "watching": "页面观看",
}  # fmt: skip
FAULTS_ZH = {
    "frozen": "冻结", "drift": "漂移", "bias": "偏差", "spike": "尖峰", "noise": "噪声", "poisoned": "灵敏度下降",
    "stuck_at": "固定示值", "cut": "断线", "short": "短路", "nan": "无数值", "swapped_words": "字序颠倒",
    "failed_switch": "开关不动作", "dropout": "断开,链路中断", "silent": "链路正常但无数据",
    "repeated_stamps": "时标重复",
    "jumping_stamps": "时标跳变", "shifted_clock": "时钟偏移", "slow": "应答迟缓", "flapping": "链路时断时续",
    "shifted_registers": "寄存器错一位",
}  # fmt: skip
MORE_STYLE = """
.sent{fill:none;stroke:var(--ink);stroke-width:1.6}
.true{fill:none;stroke:var(--advised);stroke-width:1.4;stroke-dasharray:6 4}
.fault{fill:var(--label);opacity:.55}.ring{stroke:var(--poor);stroke-width:1.4}
.mile{stroke:var(--soft);stroke-dasharray:2 3}svg text.ring{fill:var(--poor);stroke:none}
.key i{display:inline-block;width:22px;height:0;border-top:3px solid;margin:0 6px 4px 14px}
.key i.t{border-top-style:dashed;color:var(--advised)}.key i.r{color:var(--poor)}
.key i.m{border-top-style:dotted;color:var(--soft)}.key i.f{border-color:var(--label);border-top-width:10px}
.verdict{font-size:24px}.verdict.good,.verdict.poor{font-weight:700}
table{width:auto;min-width:60%}td.text{min-width:90px}th,th:first-child{text-align:left}td.said,th.said{white-space:normal;text-align:left;min-width:200px}
"""
#: The same for a picture without a page around it.
SVG_STYLE = (
    "text{font:13px sans-serif;fill:#5b6878}text.name{fill:#1b2430;font-weight:600}text.ring{fill:#b3261e}"
    ".sent{fill:none;stroke:#1b2430;stroke-width:1.6}.fault{fill:#f3d9a4;opacity:.55}.axis{stroke:#d8dee6}"
    ".true{fill:none;stroke:#00796b;stroke-width:1.4;stroke-dasharray:6 4}line.ring{stroke:#b3261e;stroke-width:1.4}"
    ".mile{stroke:#5b6878;stroke-dasharray:2 3}"
)


def page(played: Played, told: Mapping[str, Any]) -> str:
    """Give the report of one run.

    Args:
        told: The run as JSON values, see ``gateway.simulate.result.facts``.
    """
    scenario = played.scenario
    title = {"en": scenario.title.get("en", scenario.name), "zh": scenario.title.get("zh", scenario.name)}
    end = ("good", "全部符合", "all expectations met") if played.is_passed else ("poor", "不符合", "not as expected")
    body = [
        f"<h1>{_two('场景仿真', 'Simulation')} · {_two(title['zh'], title['en'])}</h1>",
        f"<p class=soft>{escape(scenario.name)} · {scenario.kind.name} · {_two('种子', 'seed')} {played.seed}</p>",
        f"<p class=soft>{_two('仿真数据,性质:测试(test)', 'Simulated; nature: test')}</p>",
        "<p class=switch><label for=zh>中文</label><label for=en>English</label></p>",
        f"<p class='verdict {end[0]}'>{_two(end[1], end[2])}</p>",
        _cards(told),
        _verdicts(played),
        _story(played),
        _pictures(played),
        _events(played),
        _spent(told),
    ]
    return (
        "<!doctype html><html lang=zh><head><meta charset=utf-8>"
        '<meta name=viewport content="width=device-width,initial-scale=1">'
        f"<title>{escape(title['zh'])} · {escape(title['en'])}</title><style>{STYLE}{MORE_STYLE}</style></head><body>"
        "<input class=pick type=radio name=lang id=zh checked aria-label=中文>"
        "<input class=pick type=radio name=lang id=en aria-label=English>"
        f"<main>{''.join(body)}</main></body></html>\n"
    )


def _cards(told: Mapping[str, Any]) -> str:
    met = sum(each["passed"] for each in told["expectations"])
    cards = [
        (f"{met} / {len(told['expectations'])}", "符合预期", "expectations met"),
        (str(told["events"]), "事件", "events"),
        (str(told["notices"]), "监管平台收到通知", "notices held"),
        (f"{told['samples']:,}", "样本", "samples"),
        (f"{told['pace']:.0f} ×", "仿真速度", "real time"),
    ]
    return (
        "<div class=cards>"
        + "".join(f"<div class=card><b>{n}</b>{_two(zh, en)}</div>" for n, zh, en in cards)
        + "</div>"
    )


def _verdicts(played: Played) -> str:
    rows = []
    for each, verdict in zip(played.scenario.expectations, played.verdicts, strict=True):
        mark = _two("符合", "met") if verdict.is_met else _two("不符合", "missed")
        said = _two(each.say.get("zh", ""), each.say.get("en", ""))
        rows.append(
            f"<tr><td>{escape(each.id)}</td><td class={'good' if verdict.is_met else 'poor'}>{mark}</td>"
            f"<td>{_n(verdict.seen_s)}</td><td>{_n(verdict.slack_s)}</td><td class=said>{said}</td>"
            f"<td class=said>{_two(verdict.why['zh'], verdict.why['en'])}</td></tr>"
        )
    broken = {stage: off for stage, off in played.balances.items() if off}
    books = (
        _two("各环节账目平衡。", "The books of every stage balance.")
        if not broken
        else f"<span class=poor>{_two(f'账目不平:{broken}', f'Books out of balance: {broken}')}</span>"
    )
    head = _head(
        ("预期", "expectation"), ("结论", "verdict"), ("出现 s", "seen at s"), ("余量 s", "to spare s"),
        ("说明", "what"), ("依据", "why"),
    )  # fmt: skip
    return f"<h2>{_two('预期与结论', 'Expectations')}</h2>{_table(head, rows)}<p class=soft>{books}</p>"


def _story(played: Played) -> str:
    scenario = played.scenario
    lines: list[tuple[float, str, str]] = [
        (m.at_s, m.say.get("zh", m.act.verb), m.say.get("en", m.act.verb)) for m in scenario.moments
    ]
    for fault in scenario.faults:
        until = "" if math.isinf(fault.until_s) else f" – {fault.until_s:g} s"
        lines.append(
            (
                fault.from_s,
                f"故障:{fault.target} {FAULTS_ZH[fault.kind]}{until}",
                f"Fault: {fault.target} {fault.kind}{until}",
            )
        )
    for name, at_s in played.seen.milestones.items():
        said = scenario.kind.milestones[name]
        lines.append((at_s, f"现场:{said['zh']}", f"The plant: {said['en']}"))
    rows = [f"<tr><td>{at_s:g}</td><td class=said>{_two(zh, en)}</td></tr>" for at_s, zh, en in sorted(lines)]
    return f"<h2>{_two('经过', 'What happened')}</h2>{_table(_head(('时刻 s', 'at s'), ('事项', 'what')), rows)}"


def _events(played: Played) -> str:
    rows = [
        f"<tr><td>{event.time_s:g}</td><td class=text>{_two(WHAT.get(event.what, event.what), event.what)}</td>"
        f"<td class=text>{escape(event.tag or event.unit)}</td><td class=text>{escape(event.condition or '–')}</td>"
        f"<td class=text>{_two(TIER_ZH[event.tier], event.tier)}</td></tr>"
        for event in played.seen.events[:EVENTS_MAX]
    ]
    head = _head(
        ("时刻 s", "at s"), ("事件", "event"), ("位号/单元", "tag or unit"), ("条件", "condition"), ("等级", "tier")
    )
    more = len(played.seen.events) - EVENTS_MAX
    rest = f"<p class=soft>{_two(f'另有 {more} 条', f'{more} more are in events.jsonl')}</p>" if more > 0 else ""
    return f"<h2>{_two('网关事件', 'Events of the gateway')}</h2>{_table(head, rows)}{rest}"


def _spent(told: Mapping[str, Any]) -> str:
    rows = [
        f"<tr><td>{_two(STAGES.get(stage, stage), stage)}</td><td>{seconds:.3f}</td></tr>"
        for stage, seconds in told["spent_s"].items()
    ]
    head = _head(("环节", "stage"), ("实际耗时 s", "real time s"))
    return f"<h2>{_two('耗时', 'Real time by stage')}</h2>{_table(head, rows)}"


# ------------------------------------------------------------------------------------------------------------- pictures


def _pictures(played: Played) -> str:
    tags = _chosen(played)
    if not tags:
        return ""
    key = (
        f"<p class='soft key'><i></i>{_two('仪表送出或网关计算', 'what was sent, or computed')}"
        f"<i class=t></i>{_two('现场真值', 'what was true')}"
        f"<i class=r></i>{_two('报警', 'rang')}<i class=f></i>{_two('仪表故障', 'instrument at fault')}"
        f"<i class=m></i>{_two('现场里程碑', 'milestones of the plant')}</p>"
    )
    drawn = "".join(
        f'<h3>{escape(tag)}</h3><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img">{_picture(played, tag)}</svg>'
        for tag in tags
    )
    return f"<h2>{_two('曲线', 'Pictures')}</h2>{key}{drawn}"


def picture(played: Played) -> str:
    """Give all pictures in one SVG that stands by itself, for a page of documents."""
    tags = _chosen(played)
    parts = [
        f'<g transform="translate(0 {number * (HEIGHT + SPACE) + SPACE})">'
        f'<text class="name" x="{LEFT}" y="0">{escape(tag)}</text>{_picture(played, tag)}</g>'
        for number, tag in enumerate(tags)
    ]
    height = max(1, len(tags)) * (HEIGHT + SPACE)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"><style>{SVG_STYLE}</style>'
        f'<rect width="{WIDTH}" height="{height}" fill="#fff" />{"".join(parts)}</svg>\n'
    )


def _chosen(played: Played) -> list[str]:
    """Choose the tags worth a picture: at fault, expected or ringing, computed ones last; of a quiet run the first."""
    named = {fault.target for fault in played.scenario.faults} | {each.tag for each in played.scenario.expectations}
    named |= {event.tag for event in played.seen.events if event.what in RINGING}
    chosen = [tag for tag in (*played.tags, *played.computed) if tag in named][:TAGS_MAX]
    return chosen or list(played.tags[:QUIET_TAGS])


def _picture(played: Played, tag: str) -> str:
    """Draw one tag: what was sent, what was true, its faults, its alarms, the plant's milestones."""
    times, sent, true = _curves(played, tag)
    seen = np.concatenate([sent, true])
    seen = seen[np.isfinite(seen)]
    if not len(seen):
        return ""
    low, high = float(seen.min()), float(seen.max())
    pad = (high - low) * 0.05 or max(abs(high) * 0.05, 0.5)
    low, high = low - pad, high + pad
    last = max(played.scenario.lasts_s, 1.0)

    def x(at_s: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * min(max(at_s / last, 0.0), 1.0)

    def y(value: float) -> float:
        return TOP + (HEIGHT - BOTTOM - TOP) * (1 - (value - low) / (high - low))

    parts = [
        f'<rect class="fault" x="{x(fault.from_s):.1f}" y="{TOP}" height="{HEIGHT - BOTTOM - TOP}" '
        f'width="{max(x(fault.until_s) - x(fault.from_s), 1):.1f}" />'
        for fault in played.scenario.faults
        if fault.target == tag
    ]
    parts += [
        f'<line class="mile" x1="{x(at_s):.1f}" x2="{x(at_s):.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" />'
        for at_s in played.seen.milestones.values()
        if 0 <= at_s <= last
    ]
    parts.append(f'<path class="true" d="{_path(times, true, x, y)}" />')
    parts.append(f'<path class="sent" d="{_path(times, sent, x, y)}" />')
    parts += _rings([event for event in played.seen.events if event.tag == tag and event.what in RINGING], x)
    parts += [
        f'<text x="{LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{_end(value)}</text>'
        for value in (low + pad, high - pad)
    ]
    parts += [
        f'<text x="{LEFT}" y="{HEIGHT - 6}">0 s</text>',
        f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 6}" text-anchor="end">{last:g} s</text>',
        f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{HEIGHT - BOTTOM}" y2="{HEIGHT - BOTTOM}" />',
    ]
    return "".join(parts)


def _curves(played: Played, tag: str) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Give times, what was sent and what was true; of a computed tag what was computed, and no truth."""
    if tag in played.computed:
        times, values = played.computed[tag]
        return times, values, np.full(len(values), np.nan)
    column = played.tags.index(tag)
    sent = np.array([row[column] for row in played.trace.sent])
    true = np.array([row[column] for row in played.trace.true])
    return np.array(played.trace.times_s), sent, true


def _end(value: float) -> str:
    """Write an end of the axis so that it fits beside it."""
    return f"{value:.0f}" if abs(value) >= LARGE else f"{value:.3g}"


def _rings(events: Sequence[Event], x: Any) -> list[str]:  # noqa: ANN401  # seconds to place
    parts, free = [], -math.inf
    for event in events:
        at = x(event.time_s)
        parts.append(f'<line class="ring" x1="{at:.1f}" x2="{at:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" />')
        words = f"{event.condition} {event.time_s:g} s"
        if at >= free:  # Words of neighbours do not stand on each other.
            side = "end" if at > WIDTH * 0.8 else "start"
            parts.append(f'<text class="ring" x="{at:.1f}" y="{TOP - 8}" text-anchor="{side}">{escape(words)}</text>')
            free = at + 9 * len(words)
    return parts


def _path(times: NDArray[np.float64], values: NDArray[np.float64], x: Any, y: Any) -> str:  # noqa: ANN401
    """Draw a line: least and greatest of each stretch, so that no spike is lost; a gap stays a gap where it is long."""
    known = np.flatnonzero(np.isfinite(values))
    if not len(known):
        return ""
    stride = max(1, math.ceil(2 * len(known) / POINTS_MAX))
    usual = float(np.median(np.diff(times[known]))) if len(known) > 1 else 1.0
    points: list[int] = []
    for start in range(0, len(known), stride):
        stretch = known[start : start + stride]
        ends = {int(stretch[values[stretch].argmin()]), int(stretch[values[stretch].argmax()])}
        points += sorted(ends)
    path, before = [], -math.inf
    for at in points:
        pen = "L" if times[at] - before <= 3 * usual * stride else "M"
        path.append(f"{pen}{x(times[at]):.1f} {y(values[at]):.1f}")
        before = float(times[at])
    return "".join(path)


# ---------------------------------------------------------------------------------------------------------------- parts


def _two(zh: str, en: str) -> str:
    return f"<span class=zh lang=zh>{escape(zh)}</span><span class=en lang=en>{escape(en)}</span>"


def _head(*columns: tuple[str, str]) -> str:
    return "<tr>" + "".join(f"<th>{_two(zh, en)}</th>" for zh, en in columns) + "</tr>"


def _table(head: str, rows: Sequence[str]) -> str:
    return f"<div class=wide><table>{head}{''.join(rows)}</table></div>"


def _n(value: float | None) -> str:
    return "–" if value is None else f"{value:.6g}"
