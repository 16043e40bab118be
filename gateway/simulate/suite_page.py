"""The suite's table as one HTML file, in Chinese and English, that needs nothing else; every name is escaped."""

from collections.abc import Mapping
from html import escape
from typing import Any, Final

from gateway.backtest.page import STYLE

#: How a page calls a mix of faults, zh and en.
MIXES: Final = {
    "one_lies": ("一台仪表失实", "one instrument lies"),
    "poor_line": ("一路通信不良", "a poor line"),
}


def suite_page(told: Mapping[str, Any]) -> str:
    """Give the page.

    Args:
        told: The suite as JSON values, see ``gateway.simulate.suite.suite_facts``.
    """
    end = ("good", "全部符合", "all as expected") if told["passed"] else ("poor", "不符合", "not as expected")
    rows = "".join(_rows(story) for story in told["stories"])
    head = "".join(
        f"<th>{_two(zh, en)}</th>"
        for zh, en in (
            ("场景", "story"), ("结论", "verdict"), ("后果", "consequence"), ("提前量 s", "lead s"),
            ("仅限值提前量 s", "lead, limits only s"), ("漏报", "missed"), ("误报/天", "false alarms a day"),
            ("最多报警/10 分钟", "most alarms in 10 min"), ("起因至通知送达 s", "cause to notice s"),
        )
    )  # fmt: skip
    notes = _two(
        "各行取所有种子中的最差值。提前量:单元自起因后首次达到黄色及以上预警至后果发生;“–”表示网关运行期间未预警。"
        "“仅限值”:同一批样本只按该场所的高低限值判定。仿真数据,性质:测试(test)。",
        "Each line is the worst of all seeds. Lead: from the unit's first YELLOW or graver tier since the cause to the "
        "consequence; – where none came while the gateway was there. Limits only: the same samples judged by the "
        "site's LL, L, H and HH alone. Simulated; nature: test.",
    )
    seeds = ", ".join(str(seed) for seed in told["seeds"])
    title = "场景评分 · Score of the stories"
    return (
        "<!doctype html><html lang=zh><head><meta charset=utf-8>"
        '<meta name=viewport content="width=device-width,initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}.wide{{overflow-x:auto}}td,th{{text-align:left}}</style></head><body>"
        "<input class=pick type=radio name=lang id=zh checked aria-label=中文>"
        "<input class=pick type=radio name=lang id=en aria-label=English>"
        f"<main><h1>{_two('场景评分', 'Score of the stories')}</h1>"
        "<p class=switch><label for=zh>中文</label><label for=en>English</label></p>"
        f"<p class={end[0]}>{_two(end[1], end[2])}</p>"
        f"<p class=soft>{_two('种子', 'seeds')} {seeds}</p>"
        f"<div class=wide><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
        f"<p class=soft>{notes}</p>{_with_faults(told)}{_missed(told)}</main></body></html>\n"
    )


def _rows(story: Mapping[str, Any]) -> str:
    verdict = _two("符合", "as expected") if story["passed"] else _two("不符合", "not as expected")
    title = story["title"]
    consequences = story["consequences"] or [{}]
    lines = []
    for number, each in enumerate(consequences):
        first = number == 0
        name = _two(title.get("zh", story["name"]), title.get("en", story["name"])) if first else ""
        lines.append(
            f"<tr><td>{name}</td><td class={'good' if story['passed'] else 'poor'}>{verdict if first else ''}</td>"
            f"<td>{escape(each.get('milestone', '–'))}</td><td>{_n(each.get('lead_s'))}</td>"
            f"<td>{_n(each.get('lead_limits_only_s'))}</td>"
            + "".join(
                f"<td>{_n(story[key]) if first else ''}</td>"
                for key in ("missed", "false_alarms_per_day", "alarms_per_10_min", "cause_to_notice_s")
            )
            + "</tr>"
        )
    return "".join(lines)


def _with_faults(told: Mapping[str, Any]) -> str:
    """Tell what one fault more, drawn by chance, costs; nothing where none was drawn."""
    rows = [
        f"<tr><td>{_two(story['title'].get('zh', story['name']), story['title'].get('en', story['name']))}</td>"
        f"<td>{_two(*MIXES.get(mix, (mix, mix)))}</td><td>{each['passed']} / {each['runs']}</td>"
        f"<td>{each['missed']}</td><td>{_n(each['false_alarms_per_day'])}</td>"
        + "".join(f"<td>{each['beside_limits'][word]}</td>" for word in ("earlier", "same", "later", "neither"))
        + "</tr>"
        for story in told["stories"]
        for mix, each in story["with_faults"].items()
    ]
    if not rows:
        return ""
    head = "".join(
        f"<th>{_two(zh, en)}</th>"
        for zh, en in (
            ("场景", "story"), ("附加故障", "fault beside it"), ("符合", "as expected"), ("漏报", "missed"),
            ("误报/天", "false alarms a day"), ("早于仅限值", "earlier than limits only"), ("相同", "same"),
            ("晚于", "later"), ("均未预警", "neither"),
        )
    )  # fmt: skip
    note = _two(
        "每次运行随机附加一个故障,种子相同则故障相同;不计入结论。对故障位号本身及由其计算、表决的报警不算误报。",
        "Each run has one fault more, drawn by chance, the same for the same seed; it does not count for the verdict. "
        "An alarm about a tag that is at fault, or is judged with one, is no false one.",
    )
    title = f"<h2>{_two('附加随机故障', 'With a fault drawn by chance')}</h2>"
    table = f"<div class=wide><table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    return f"{title}{table}<p class=soft>{note}</p>"


def _missed(told: Mapping[str, Any]) -> str:
    found = [
        f"<li>{escape(story['name'])}, {_two('种子', 'seed')} {run['seed']}: {_two(why['zh'], why['en'])}</li>"
        for story in told["stories"]
        for run in story["runs"]
        if run["mix"] == "as_written"
        for why in run["not_as_expected"]
    ]
    return f"<h2>{_two('不符合之处', 'Not as expected')}</h2><ul>{''.join(found)}</ul>" if found else ""


def _two(zh: str, en: str) -> str:
    return f"<span class=zh>{escape(zh)}</span><span class=en>{escape(en)}</span>"


def _n(value: float | None) -> str:
    return "–" if value is None else f"{value:g}"
