"""The suite's table as one HTML file, in Chinese and English, that needs nothing else; every name is escaped."""

from collections.abc import Mapping
from html import escape
from typing import Any

from gateway.backtest.page import STYLE


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
        f"<p class=soft>{notes}</p>{_missed(told)}</main></body></html>\n"
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


def _missed(told: Mapping[str, Any]) -> str:
    found = [
        f"<li>{escape(story['name'])}, {_two('种子', 'seed')} {run['seed']}: {_two(why['zh'], why['en'])}</li>"
        for story in told["stories"]
        for run in story["runs"]
        for why in run["not_as_expected"]
    ]
    return f"<h2>{_two('不符合之处', 'Not as expected')}</h2><ul>{''.join(found)}</ul>" if found else ""


def _two(zh: str, en: str) -> str:
    return f"<span class=zh>{escape(zh)}</span><span class=en>{escape(en)}</span>"


def _n(value: float | None) -> str:
    return "–" if value is None else f"{value:g}"
