"""The report of a backtest: one HTML file with pictures, in Chinese and English, that needs nothing else.

Why: it is handed on, printed and filed; so no script, no font, no picture from elsewhere, and every name is escaped.
"""

from collections.abc import Sequence
from html import escape
from typing import Any

ROWS_MAX = 200  # Rules in the table; all are in --json.
WIDTH, HEIGHT = 720, 180  # Of a picture, in its own units; it fills the width that it is given.
LEFT, RIGHT, BOTTOM = 56, 110, 22
FLOOD, TARGET = 10, 1

STYLE = """
:root{--ink:#1b2430;--soft:#5b6878;--line:#d8dee6;--paper:#fff;--wash:#f4f6f9;--good:#1a7f4b;--poor:#b3261e;
--band:#9db8d9;--limit:#c26a00;--advised:#00796b;--label:#f3d9a4}
@media(prefers-color-scheme:dark){:root{--ink:#e6ebf2;--soft:#9aa7b8;--line:#36424f;--paper:#141a21;--wash:#1d252e;
--good:#5fd38f;--poor:#ff8a80;--band:#486a92;--limit:#ffb454;--advised:#4dd0bb;--label:#5c4a1e}}
@media print{:root{--ink:#000;--paper:#fff}.switch{display:none}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,"Noto Sans SC","PingFang SC",sans-serif}
main{max-width:1080px;margin:0 auto;padding:16px}
h1{font-size:22px;margin:8px 0}h2{font-size:17px;margin:28px 0 8px}h3{font-size:15px;margin:14px 0 4px}
p{margin:4px 0}.soft{color:var(--soft)}.good{color:var(--good)}.poor{color:var(--poor);font-weight:600}
.switch label{cursor:pointer;border:1px solid var(--line);border-radius:6px;padding:4px 12px;margin-right:6px}
.pick{position:absolute;opacity:0}.pick:focus-visible~main .switch{outline:2px solid var(--limit)}
#en:checked~main .zh,#zh:checked~main .en{display:none}
#en:checked~main label[for=en],#zh:checked~main label[for=zh]{background:var(--ink);color:var(--paper)}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:10px}
.card{background:var(--wash);border-radius:8px;padding:10px 12px}.card b{display:block;font-size:22px}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:13px}
th,td{text-align:right;padding:4px 8px;border-bottom:1px solid var(--line);white-space:nowrap}
th:first-child,td:first-child,td.text,th.text{text-align:left}td.text{white-space:normal;min-width:240px}
td:first-child{overflow-wrap:anywhere;white-space:normal;min-width:120px}
svg{width:100%;height:auto;display:block}svg text{fill:var(--soft);font-size:13px}
svg text.now{fill:var(--limit)}svg text.new{fill:var(--advised)}
.switch{margin:10px 0}ol{font-size:13px;padding-left:24px}
@media(max-width:600px){svg text{font-size:20px}}
.bar{fill:var(--band)}.bar.poor{fill:var(--poor)}.axis{stroke:var(--line)}
.limit{stroke:var(--limit);stroke-dasharray:5 4}
.advised{stroke:var(--advised)}.band{fill:var(--band);stroke:var(--band)}.label{fill:var(--label)}
"""

FIGURES = {
    "per_10_min": ("每 10 分钟报警数(平均)", "alarms per 10 min, average"),
    "per_day": ("每日报警数", "alarms a day"),
    "peak_10_min": ("10 分钟最大报警数", "most alarms in 10 min"),
    "over_10_share": ("超过 10 条的 10 分钟时段占比", "10-min periods with more than 10"),
    "flood_share": ("报警泛滥时间占比", "time in flood"),
    "top_share": ("前十位报警占比", "share of the ten most frequent"),
    "standing_max": ("同时长期报警(>24 h)最多", "most standing alarms (> 24 h) at once"),
    "alarms": ("报警总数", "alarms"),
    "active_max": ("同时有效报警最多", "most active alarms at once"),
    "floods": ("报警泛滥次数", "floods"),
}
DETECTION = {
    "windows": ("标注事件", "labelled windows"),
    "detected": ("检出", "detected"),
    "missed": ("漏报", "missed"),
    "delay_s_median": ("检出延迟中位数 (s)", "median delay (s)"),
    "delay_s_worst": ("检出延迟最大值 (s)", "worst delay (s)"),
    "false_alarms_per_day": ("每日误报(标注以外)", "false alarms a day (outside labels)"),
}
FIELDS = {
    "setpoint": ("设定值", "setpoint"),
    "deadband": ("死区", "deadband"),
    "on_delay_s": ("触发延时", "on-delay"),
    "review": ("请核对", "to be reviewed"),
}
TEXTS = {"reason", "first rule", "settings"}  # Columns of words.
PRIORITIES = {"low": ("低", "low"), "medium": ("中", "medium"), "high": ("高", "high")}


def page(results: Sequence[dict[str, Any]], difference: dict[str, Any] | None = None) -> str:
    """Give the report of one result, or of two with their difference."""
    first = results[0]
    title = f"{first['site']} · {first['recording']}"
    span = f"{escape(first['from'][:19])}Z – {escape(first['to'][:19])}Z · {first['days']:.2f}"
    body = [
        f"<h1>{_two('规则回测', 'Backtest')} · {escape(title)}</h1>",
        f"<p class=soft>{span} {_two('天', 'days')} · {first['samples']:,} {_two('样本', 'samples')}</p>",
        "<p class=switch><label for=zh>中文</label><label for=en>English</label></p>",
    ]
    if difference is not None:
        body.append(_difference(results, difference))
    for number, result in enumerate(results, start=1):
        if len(results) > 1:
            body.append(f"<h1>{_two(f'配置 {number}', f'Configuration {number}')}</h1>")
        body += [_cards(result), _targets(result), _timeline(result), _labels(result), _rules(result), _advice(result)]
        body.append(_pictures(result))
    body.append(
        "<p class=soft>"
        + _two(
            "误报指标注窗口以外的触发。报警负荷按一个操作岗位计;优先级与预警等级的对应及全部整定建议为本系统自定(ours),"
            "不会自动生效。",
            "False alarms are trips outside of all labelled windows. The load is for one operator's position; which "
            "tiers a priority has, and all advice, are ours, and nothing is applied by itself.",
        )
        + "</p>"
    )
    return (
        "<!doctype html><html lang=zh><head><meta charset=utf-8>"
        '<meta name=viewport content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>"
        "<input class=pick type=radio name=lang id=zh checked aria-label=中文>"
        "<input class=pick type=radio name=lang id=en aria-label=English>"
        f"<main>{''.join(body)}</main></body></html>\n"
    )


# ------------------------------------------------------------------------------------------------------------- sections


def _cards(result: dict[str, Any]) -> str:
    load, found = result["load"], result["detection"]
    cards = [_card(load["alarms"], "报警总数", "alarms"), _card(load["per_day"], "每日报警数", "alarms a day")]
    if found["windows"]:
        cards += [
            _card(f"{found['detected']} / {found['windows']}", "检出标注事件", "labelled windows detected"),
            _card(found["delay_s_median"], "检出延迟中位数 (s)", "median delay (s)"),
            _card(found["false_alarms_per_day"], "每日误报", "false alarms a day"),
        ]
    cards.append(_card(load["peak_10_min"], "10 分钟最大报警数", "most alarms in 10 min"))
    absent = result["tags_without_samples"]
    said = ""
    if absent:
        names = escape(", ".join(absent[:12])) + (" …" if len(absent) > 12 else "")  # noqa: PLR2004  # a line's worth
        said = (
            f"<p class=soft>{_two(f'{len(absent)} 个位号无数据', f'{len(absent)} tags without samples')}: {names}</p>"
        )
    return f"<div class=cards>{''.join(cards)}</div>{said}"


def _card(value: Any, zh: str, en: str) -> str:  # noqa: ANN401  # a figure of any kind
    shown = value if isinstance(value, str) else _n(value)
    return f"<div class=card><b>{escape(shown)}</b>{_two(zh, en)}</div>"


def _targets(result: dict[str, Any]) -> str:
    rows = []
    sources = list(
        dict.fromkeys(f"{each['source']} ({each['status']})" for each in (*result["targets"], *result["mix"]))
    )
    for each in result["targets"]:
        met = each["is_met"]
        verdict = "–" if met is None else _two("达标", "met") if met else _two("未达标", "missed")
        kind = "" if met is None else "good" if met else "poor"
        is_share = each["figure"].endswith("_share")
        sign = "&lt;" if each["is_strict"] else "≤"
        rows.append(
            f"<tr><td>{_two(*FIGURES[each['figure']])}</td><td>{_value(each['value'], is_share=is_share)}</td>"
            f"<td>{sign} {_value(each['target'], is_share=is_share)}</td><td class={kind or 'soft'}>{verdict}</td>"
            f"<td>{_source(sources, each)}</td></tr>"
        )
    rows += [
        f"<tr><td>{_two(*PRIORITIES[each['priority']])} ({escape(', '.join(each['tiers']))})</td>"
        f"<td>{each['share']:.1%}</td><td>≈ {each['target']:.0%}</td><td class=soft>–</td>"
        f"<td>{_source(sources, each)} {_two('(等级对应:ours)', '(tiers: ours)')}</td></tr>"
        for each in result["mix"]
    ]
    head = _head(("指标", "figure"), ("实测", "measured"), ("目标", "target"), ("结论", "verdict"), ("来源", "source"))
    notes = "".join(f"<li>{escape(source)}</li>" for source in sources)
    return f"<h2>{_two('报警负荷', 'Alarm load')}</h2>{_table(head, rows)}<ol class=soft>{notes}</ol>"


def _source(sources: list[str], each: dict[str, Any]) -> str:
    name = f"{each['source']} ({each['status']})"
    return f"[{sources.index(name) + 1}]"


def _timeline(result: dict[str, Any]) -> str:
    peaks = result["timeline"]["peak_10_min"]
    most = max(*peaks, FLOOD, 1)
    step = (WIDTH - LEFT) / len(peaks)
    bars = [
        f"<rect class='bar{' poor' if peak > FLOOD else ''}' x={LEFT + i * step:.1f} y={_y(peak, 0, most):.1f} "
        f"width={max(step * 0.9, 0.8):.2f} height={_y(0, 0, most) - _y(peak, 0, most):.1f} />"
        for i, peak in enumerate(peaks)
        if peak
    ]
    lines = [
        f"<line class=limit x1={LEFT} x2={WIDTH} y1={_y(v, 0, most):.1f} y2={_y(v, 0, most):.1f} />"
        for v in (FLOOD, TARGET)
    ]
    texts = [_tick(v, 0, most) for v in sorted({0, FLOOD, most})]
    caption = _two(
        "每个时段内最忙的 10 分钟;虚线为平均目标 1 与泛滥界限 10",
        "the busiest ten minutes of each stretch; dashed: target of the average (1), flood (10)",
    )
    return f"<h2>{_two('报警时间分布', 'Alarms over time')}</h2><p class=soft>{caption}</p>" + _svg(
        [*bars, *lines, *texts, *_ends(result["from"], result["to"])]
    )


def _labels(result: dict[str, Any]) -> str:
    if not result["labels"]:
        return ""
    rows = []
    for each in result["labels"]:
        said = _two("检出", "detected") if each["detected"] else _two("漏报", "missed")
        rows.append(
            f"<tr><td>{escape(each['name'] or '–')}</td><td>{escape(each['tag'] or '–')}</td>"
            f"<td>{escape(each['start'][:19])}Z</td><td>{escape(each['end'][:19])}Z</td>"
            f"<td class={'good' if each['detected'] else 'poor'}>{said}</td>"
            f"<td>{_n(each['delay_s'])}{_two('(此前已报)', ' (rang before)') if each['already_active'] else ''}</td>"
            f"<td class=text>{escape(each['rule'] or '–')}</td></tr>"
        )
    head = _head(
        ("事件", "event"), ("位号", "tag"), ("开始", "from"), ("结束", "to"), ("结论", "verdict"),
        ("延迟 (s)", "delay (s)"), ("最先报警的规则", "first rule"),
    )  # fmt: skip
    return f"<h2>{_two('标注事件', 'Labelled windows')}</h2>{_table(head, rows)}"


def _rules(result: dict[str, Any]) -> str:
    ringing = sorted(result["rules"], key=lambda each: (-each["alarms"], -each["missed"], each["rule"]))
    rows = [
        f"<tr><td>{escape(each['rule'])}</td><td>{escape(each['tier'])}</td><td>{_n(each['setpoint'])}</td>"
        f"<td>{each['alarms']}</td><td>{_n(each['alarms_per_day'])}</td><td>{_n(each['false_alarms_per_day'])}</td>"
        f"<td>{_of(each['detected'], each['windows'])}</td><td>{_n(each['delay_s_median'])}</td>"
        f"<td>{_n(each['delay_s_worst'])}</td><td>{_count(each['chattering'])}</td><td>{_count(each['fleeting'])}</td>"
        f"<td>{_count(each['standing'])}</td><td>{_value(each['time_in_alarm_share'], is_share=True)}</td></tr>"
        for each in ringing[:ROWS_MAX]
    ]
    head = _head(
        ("规则", "rule"), ("等级", "tier"), ("设定值", "setpoint"), ("报警", "alarms"), ("每日", "a day"),
        ("每日误报", "false a day"), ("检出", "detected"), ("延迟中位 s", "median delay s"), ("最大 s", "worst s"),
        ("频繁", "chattering"), ("瞬时", "fleeting"), ("长期", "standing"), ("报警时间", "in alarm"),
    )  # fmt: skip
    more = ""
    if len(ringing) > ROWS_MAX:
        rest = len(ringing) - ROWS_MAX
        more = f"<p class=soft>{_two(f'另有 {rest} 条规则,见 --json。', f'{rest} more rules are in --json.')}</p>"
    return f"<h2>{_two('各规则', 'Rules')}</h2>{_table(head, rows)}{more}"


def _advice(result: dict[str, Any]) -> str:
    if "advice" not in result:
        return ""
    title = f"<h2>{_two('整定建议(ours,须由人确认后修改配置)', 'Tuning advice (ours; a person applies it)')}</h2>"
    if not result["advice"]:
        return f"{title}<p>{_two('没有建议。', 'None.')}</p>"
    rows = [
        f"<tr><td>{escape(each['rule'])}</td><td>{_two(*FIELDS[each['field']])}</td><td>{_n(each['now'])}</td>"
        f"<td>{_n(each['proposed'])} {escape(each['eu'])}</td>"
        f"<td>{each['alarms_now']} → {_n(each['alarms_expected'])}</td>"
        f"<td class=text>{_two(each['reason']['zh'], each['reason']['en'])}</td></tr>"
        for each in result["advice"]
    ]
    head = _head(
        ("规则", "rule"),
        ("参数", "what"),
        ("现值", "now"),
        ("建议", "advised"),
        ("报警数", "alarms"),
        ("理由", "reason"),
    )
    said = ""
    applied = result["advice_applied"]
    if applied:
        before, after = result["load"]["alarms"], applied["load"]["alarms"]
        one, other = result["detection"], applied["detection"]
        zh, en = f"报警数 {before} → {after}", f"alarms {before} → {after}"
        if one["windows"]:
            zh += f",检出 {one['detected']} → {other['detected']} / {one['windows']}"
            zh += f",延迟中位数 {_n(one['delay_s_median'])} → {_n(other['delay_s_median'])} s"
            en += f", detected {one['detected']} → {other['detected']} of {one['windows']}"
            en += f", median delay {_n(one['delay_s_median'])} → {_n(other['delay_s_median'])} s"
        said = _two(f"全部采纳后,同一记录实测:{zh}。", f"With all of it, measured on the same recording: {en}.")
        said = f"<p>{said}</p>"
    return f"{title}{said}{_table(head, rows)}"


def _pictures(result: dict[str, Any]) -> str:
    shown = [_picture(each) for each in result.get("pictures", ()) if any(v is not None for v in each["least"])]
    if not shown:
        return ""
    caption = _two(
        "正常运行的最小–最大范围;虚线为现有限值,实线为建议限值;浅色带为正常停止位置(中位至最远)",
        "least to greatest in normal operation; dashed: limits now, solid: limits advised; pale band: where it "
        "normally stops, from the median to the farthest",
    )
    return f"<h2>{_two('有建议的位号', 'Tags with advice')}</h2><p class=soft>{caption}</p>{''.join(shown)}"


def _picture(each: dict[str, Any]) -> str:
    values = [v for v in (*each["least"], *each["greatest"]) if v is not None]
    values += [limit["setpoint"] for limit in (*each["limits"], *each["advised"])]
    low, high = min(values), max(values)
    if low == high:
        low, high = low - 1, high + 1
    first, last = each["time_s"][0], max(each["time_s"][-1], each["time_s"][0] + 1)
    marks = []
    for t, least, greatest in zip(each["time_s"], each["least"], each["greatest"], strict=True):
        if least is None:
            continue
        x = LEFT + (WIDTH - LEFT - RIGHT) * (t - first) / (last - first)
        top, bottom = _y(greatest, low, high), _y(least, low, high)
        marks.append(f"M{x:.1f} {bottom + 0.5:.1f}V{top - 0.5:.1f}")
    width = max(1.5, (WIDTH - LEFT - RIGHT) / max(len(each["time_s"]), 1))
    stops = [_stop(stop, low, high) for stop in each["stops"]]
    parts = [*stops, f'<path class=band stroke-width={width:.1f} d="{"".join(marks)}" />']
    limits = [(_y(each_limit["setpoint"], low, high), "now", each_limit) for each_limit in each["limits"]]
    limits += [(_y(each_limit["setpoint"], low, high), "new", each_limit) for each_limit in each["advised"]]
    said_y = 0.0  # Words of neighbours stand below each other.
    for y, which, limit in sorted(limits, key=lambda found: found[0]):
        style = "limit" if which == "now" else "advised"
        said_y = max(y + 4, said_y + 14)
        words = f"{escape(limit['kind'])} {_n(limit['setpoint'])}"
        parts.append(f"<line class={style} x1={LEFT} x2={WIDTH - RIGHT} y1={y:.1f} y2={y:.1f} />")
        parts.append(f"<text class={which} x={WIDTH - RIGHT + 6} y={said_y:.1f}>{words}</text>")
    parts += [_tick(low, low, high), _tick(high, low, high)]
    name = escape(f"{each['tag']} ({each['eu']})" if each["eu"] else each["tag"])
    return f"<h3>{name}</h3>{_svg(parts, WIDTH - RIGHT)}"


def _stop(stop: dict[str, float], low: float, high: float) -> str:
    """Draw where a tag normally stops."""
    top, bottom = sorted((_y(stop["middle"], low, high), _y(stop["farthest"], low, high)))
    return f"<rect class=label x={LEFT} y={top:.1f} width={WIDTH - LEFT - RIGHT} height={max(bottom - top, 1.5):.1f} />"


def _difference(results: Sequence[dict[str, Any]], difference: dict[str, Any]) -> str:
    rows = []
    for part, names in (("detection", DETECTION), ("load", FIGURES)):
        for figure, words in names.items():
            one, other = (result[part].get(figure) for result in results)
            is_share = figure.endswith("_share")
            rows.append(
                f"<tr><td>{_two(*words)}</td><td>{_value(one, is_share=is_share)}</td>"
                f"<td>{_value(other, is_share=is_share)}</td>"
                f"<td>{_value(difference[part].get(figure), is_share=is_share, signed=True)}</td></tr>"
            )
    head = _head(("指标", "figure"), ("配置 1", "first"), ("配置 2", "second"), ("差", "difference"))
    changed = [
        f"<tr><td>{escape(each['rule'])}</td><td class=text>"
        + escape("; ".join(f"{name}: {was} → {now}" for name, (was, now) in each["settings"].items()) or "–")
        + f"</td><td>{_n(each['alarms'], signed=True)}</td><td>{_n(each['false_alarms'], signed=True)}</td>"
        f"<td>{_n(each['missed'], signed=True)}</td><td>{_n(each['delay_s_median'], signed=True)}</td></tr>"
        for each in difference["rules"][:ROWS_MAX]
    ]
    of_rules = _head(
        ("规则", "rule"), ("参数", "settings"), ("报警", "alarms"), ("误报", "false"), ("漏报", "missed"),
        ("延迟 s", "delay s"),
    )  # fmt: skip
    text = f"<h2>{_two('两套配置对比', 'Two configurations')}</h2>{_table(head, rows)}"
    return text + (
        f"<h3>{_two('有变化的规则', 'Rules that changed')}</h3>{_table(of_rules, changed)}" if changed else ""
    )


# ---------------------------------------------------------------------------------------------------------------- parts


def _two(zh: str, en: str) -> str:
    return f"<span class=zh lang=zh>{escape(zh)}</span><span class=en lang=en>{escape(en)}</span>"


def _head(*columns: tuple[str, str]) -> str:
    cells = (f"<th{' class=text' if column[1] in TEXTS else ''}>{_two(*column)}</th>" for column in columns)
    return f"<tr>{''.join(cells)}</tr>"


def _table(head: str, rows: Sequence[str]) -> str:
    return f"<div class=wide><table>{head}{''.join(rows)}</table></div>"


def _svg(parts: Sequence[str], right: int = WIDTH) -> str:
    axis = f"<line class=axis x1={LEFT} x2={right} y1={HEIGHT - BOTTOM} y2={HEIGHT - BOTTOM} />"
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role=img>{axis}{"".join(parts)}</svg>'


def _y(value: float, low: float, high: float) -> float:
    return 14 + (HEIGHT - BOTTOM - 14) * (1 - (value - low) / (high - low))


def _tick(value: float, low: float, high: float) -> str:
    return f"<text x={LEFT - 6} y={_y(value, low, high) + 4:.1f} text-anchor=end>{_n(value)}</text>"


def _ends(first: str, last: str) -> list[str]:
    y = HEIGHT - 6
    return [
        f"<text x={LEFT} y={y}>{escape(first[:16])}Z</text>",
        f"<text x={WIDTH} y={y} text-anchor=end>{escape(last[:16])}Z</text>",
    ]


def _n(value: float | None, *, signed: bool = False) -> str:
    if value is None:
        return "–"
    return f"{value:+.4g}" if signed else f"{value:.4g}" if abs(value) < 1e6 else f"{value:,.0f}"  # noqa: PLR2004  # digits


def _value(value: float | None, *, is_share: bool, signed: bool = False) -> str:
    if value is None or not is_share:
        return _n(value, signed=signed)
    return f"{value:+.2%}" if signed else f"{value:.2%}"


def _of(part: int, whole: int) -> str:
    return f"{part} / {whole}" if whole else "–"


def _count(value: int) -> str:
    return f"<span class=poor>{value}</span>" if value else "0"
