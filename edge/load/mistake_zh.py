"""Mistakes in Chinese: the sentences about rows of tables of tags, told again for the people who fill them in.

Flow: Mistake -> [Chinese] -> sentence and remedy, or nothing where there is none
Why: a plant's tables are filled in by people who read Chinese; what is wrong with a cell is said in their words, with
the same value, rule and place.
Never: says another thing than the English sentence. A sentence that is not known stays as it is.

Words stand in ``sentences_zh.txt`` here and beside the rooms that have sentences of their own: a line each, the English
sentence as it stands in the source with ``{}`` where a value comes, ``|``, the Chinese one with ``{}`` in the same
order or ``{0}``, ``{1}`` in another. A test reads the source and fails where a sentence has no line.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import count, pairwise
from pathlib import Path
from typing import Final

from edge.load.heading import heading_of
from edge.load.mistake import Mistake
from edge.load.words import COLUMNS

#: Groups that name a column of the table.
_COLUMNS: Final = ("key", "one", "two")
_Words = Mapping[str, str]
_Say = str | Callable[[_Words], str]


def _word(column: str) -> str:
    """Name a column as the heading of a Chinese table does."""
    return heading_of(column, "zh") if column in COLUMNS else column


def _number(match: _Words) -> str:
    rule = match["rule"]
    whole = "整数" if rule.startswith("a whole number") else "数值"
    span = re.search(r"from (\S+) to (\S+)$", rule)
    above = re.search(r"(above|at least) (\S+?)(?: and up to (\S+))?$", rule)
    said = f"{whole},范围 {span[1]} 至 {span[2]}" if span else whole
    if above:
        most = f"且不大于 {above[3]} " if above[3] else ""
        said = f"{'大于' if above[1] == 'above' else '不小于'} {above[2]} {most}的{whole}"
    return f"{match['key']}填写为 {match['value']},应为{said}。"


def _order(match: _Words) -> str:
    way = "高于" if match["way"] == "above" else "低于"
    return f"{match['one']}({match['a']})必须{way} {match['two']}({match['b']})。"


#: What comes after the name, and how it is said; the first that fits.
_SENTENCES: Final[tuple[tuple[re.Pattern[str], _Say], ...]] = tuple(
    (re.compile(f"^{pattern}$", re.DOTALL), said)
    for pattern, said in (
        (r"it stands twice; (?P<place>.+) has it already\.", "位号重复,{place} 已有同名行。"),
        (
            r"tag is missing; a tag's name is .*",
            "缺少位号;位号由 1 至 128 个字母、数字、点、短横、下划线、冒号或斜杠组成。",
        ),
        (
            r"tag is (?P<value>.+); a tag's name is .*",
            "位号为 {value},不合规则:只能用 1 至 128 个字母、数字、点、短横、下划线、冒号或斜杠。",
        ),
        (r'names that begin with "(?P<word>.+)" are kept .*', "以“{word}”开头的名称为网关自身保留。"),
        (r"source is missing; .*", "缺少数据源;每个位号须来自一个数据源。"),
        (r"source (?P<value>.+) does not exist\.", "数据源 {value} 不存在。"),
        (r"unit (?P<value>.+) does not exist\.", "危险源单元 {value} 不存在。"),
        (r"schedule (?P<value>.+) does not exist\.", "时间表 {value} 不存在。"),
        (
            r"range_lo \((?P<lo>.+)\) must be below range_hi \((?P<hi>.+)\)\.",
            "量程下限({lo})必须小于量程上限({hi})。",
        ),
        (r"(?P<key>\w+) is (?P<value>.+); it must be (?P<rule>a (?:whole|finite)? ?number.*)\.", _number),
        (
            r"(?P<key>\w+) is (?P<value>.+); it is one of (?P<known>(?:(?!, or ).)+)\.",
            "{key}填写为 {value},只能是:{known}。",
        ),
        (
            r"(?P<key>\w+) is (?P<value>.+); it must be (?:true or false|yes or no)\.",
            "{key} 填写为 {value},应填是或否。",
        ),
        (r"(?P<key>\w+) is missing; it is one of (?P<known>.+)\.", "缺少 {key},应为:{known}。"),
        (r"register is missing; .*from (?P<first>\d+)\.", "缺少寄存器地址;从 {first} 起。"),
        (
            r"register (?P<at>\d+) and (?P<n>\d+) registers of (?P<kind>\w+) reach beyond .*, (?P<last>\d+)\.",
            "寄存器 {at} 起的 {n} 个寄存器({kind})超出最后一个寄存器 {last}。",
        ),
        (
            r"(?P<key>\w+) is a Modbus column; source (?P<source>.+) speaks (?P<what>.+)\.",
            "{key} 为 Modbus 列,数据源 {source} 使用 {what}。",
        ),
        (r"scale is 0; .*", "比例系数为 0,所有数值都将等于偏移量。"),
        (r"(?P<one>\w+) \((?P<a>.+)\) must be (?P<way>above|below) (?P<two>\w+) \((?P<b>.+)\)\.", _order),
        (
            r"tier of (?P<one>\w+) \((?P<a>\w+)\) is below that of (?P<two>\w+) \((?P<b>\w+)\)\.",
            "{one} 的预警等级({a})低于 {two}({b})。",
        ),
        (r"(?P<one>\w+) is given without (?P<two>\w+)\.", "填写了 {one},但缺少 {two}。"),
        (r"stale_s and bad_s are both 0; .*", "stale_s 与 bad_s 均为 0:没有数据的位号会显得正常。"),
        (
            r"STALE after (?P<s>\S+) s is not longer than period_s \((?P<p>\S+) s\); .*",
            "数据中断时间 {s} s 不长于采集周期 {p} s,两次采集之间就会报警。",
        ),
        (r"(?P<what>.+) is outside the instrument range.*", "{what} 超出仪表量程。"),
        (
            r"sentinel (?P<value>.+) is no raw value of type (?P<kind>\w+)\.",
            "无效值标记 {value} 不是 {kind} 类型的原始值。",
        ),
        (
            r"type is (?P<kind>\w+); table (?P<table>\w+) holds bits only\.",
            "类型为 {kind},但 {table} 表只含位。",
        ),
        (r"bit is missing; .*", "缺少位序(bit);应为 0 至 15。"),
        (r"mask is (?P<value>.+); it must be .*", "掩码为 {value},应为整数或十六进制数。"),
        (
            r"it has (?P<n>\d+) cells; the header has (?P<m>\d+) columns\.",
            "本行有 {n} 个单元格,表头有 {m} 列。",
        ),
        (r"it is not CSV \(.*\)\.", "本行不是有效的 CSV。"),
        (r"column (?P<n>\d+) has no name\.", "第 {n} 列没有列名。"),
        (r"column (?P<value>.+) stands twice\.", "列 {value} 重复。"),
        (r"column (?P<value>.+) is not known\.", "列 {value} 无法识别。"),
        (r"column (?P<value>.+) is missing\.", "缺少列 {value}。"),
        (
            r"no (?:topic|metric) of source (?P<source>.+) can give it\.",
            "数据源 {source} 没有能给出该位号的主题。",
        ),
    )
)


_HOLE: Final = re.compile(r"\{(\d*)\}")
_LETTERS_LEAST: Final = 12  # A sentence of fewer is made of others; where those are not known, it is not known.
_ENGLISH: Final = re.compile(r"[A-Za-z']{2,} [a-z']+ [a-z']{2,}")
_DEEPEST: Final = 4
_OWN: Final = re.compile(r'"[^"]*"|“[^”]*”')  # What a user wrote, shown as it is.
_WHOS: Final = tuple(
    (re.compile(f"^{pattern}$", re.DOTALL), said)
    for pattern, said in (
        (r"[Tt]ag (.+)", "位号 {}"), (r"[Rr]ule (.+)", "规则 {}"), (r"Source (.+?), topic (.+)", "数据源 {} 的主题 {}"),
        (r"Source (.+)", "数据源 {}"), (r"Unit (.+?), link (.+)", "危险源单元 {} 的链接 {}"),
        (r"Unit (.+)", "危险源单元 {}"),
        (r"Vote (.+)", "表决 {}"), (r"Template (.+)", "模板 {}"), (r"Schedule (.+?), span (.+)", "时间表 {} 的时段 {}"),
        (r"Schedule (.+)", "时间表 {}"), (r"Span (.+)", "时段 {}"), (r"Row of line (\d+)", "第 {} 行"),
        (r"Row (\d+) \((.+)\)", "第 {} 行({})"), (r"Row (\d+)", "第 {} 行"), (r"Table (.+)", "表 {}"),
        (r"Workbook (.+)", "工作簿 {}"), (r"Cell (.+)", "单元格 {}"), (r"Header", "表头"), (r"Site file", "站点文件"),
        (r"Site", "站点"), (r"Derived tag (.+)", "计算位号 {}"), (r"Strapping table", "罐容表"),
        (r"Destination (.+)", "推送目的地 {}"), (r"Channel (.+)", "渠道 {}"),
        (r"Message (.+)", "消息模板 {}"), (r"Report mail (.+)", "报告邮件 {}"), (r"Profile (.+)", "推送规约 {}"),
        (r"cap", "CAP"), (r"area (\d+)", "区域 {}"), (r"field (\d+)", "字段 {}"), (r"codes (\w+)", "代码表 {}"),
        (r"receipt", "回执"), (r"regional", "区域平台"), (r"data (\d+)", "数据 {}"), (r"Tiering (.+)", "分级 {}"),
        (r"Hidden hazards", "隐患"), (r"Commitment", "安全承诺"), (r"Site plan", "总平面图"), (r"Report", "报表"),
        (r"Hazard opening (.+)", "隐患自动登记 {}"), (r"Crowd share (.+)", "承载量占比 {}"),
        (r"Quantity share (.+)", "存量占比 {}"),
        (r"Crowd response (.+?), action (.+)", "客流处置 {} 的第 {} 项措施"), (r"Crowd response (.+)", "客流处置 {}"),
        (r"Crowd", "客流"),
        (r"Incident", "应急事件"), (r"Zone (.+)", "危害区 {}"),
        (r"Call-out (.+)", "应急召集 {}"), (r"Roll-call", "人员清点"), (r"Assembly point (.+)", "集合点 {}"),
        (r"Headquarters (.+?), member (.+)", "指挥部 {} 的第 {} 名成员"), (r"Headquarters (.+)", "指挥部 {}"),
        (r"Escalation (.+?), step (.+)", "升级呼叫 {} 的第 {} 步"), (r"Escalation (.+)", "升级呼叫 {}"),
        (r"Task (.+)", "任务 {}"), (r"Suppression (.+)", "抑制 {}"), (r"Calendar", "日历"), (r"Shift (.+)", "班次 {}"),
        (r"Post (.+)", "岗位 {}"), (r"Learn", "学习"), (r"artefact (.+)", "学习产物 {}"), (r"HTTP", "HTTP"),
        (r"Influx", "InfluxDB"), (r"History", "历史库"), (r"Probe", "探测"), (r"Drill", "演练"), (r"Flood", "报警泛滥"),
        (r"Risk", "风险分级"), (r"Approval", "变更审批"),
        (r"Disposal", "处置"), (r"Re-alarm", "再次报警"), (r"Second person", "第二人确认"), (r"Shelving", "搁置"),
        (r"Out of service", "停用"), (r"Uplink", "上联"), (r"Spool", "缓存"), (r"Node broker", "节点消息服务器"),
        (r"Duties", "督办"), (r"Stop", "停用申报"), (r"Duty (.+)", "督办 {}"),
        (r"(\w+), column (\d+)", "{} 第 {} 个字符"),
    )
)  # fmt: skip
_LIST: Final = re.compile(r"[\w.%-]+(?:, [\w.%-]+)* and [\w.%-]+")
#: What holds in a list of facts, e.g. ``G-1.lel in ppm, G-2.lel in %LEL``.
_FACTS: Final = re.compile(r"\S+ (?:is|in) [^ ,]+(?:, \S+ (?:is|in) [^ ,]+)*")


def _whose(head: str) -> str | None:
    """Say whose mistake it is; None for what is no such beginning."""
    return next((way.format(*who.groups()) for one, way in _WHOS if (who := one.match(head))), None)


class Chinese:
    """Says what the loader says in Chinese.

    Args:
        files: Of words.

    Raises:
        ValueError: A line of them is no sentence in two languages.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        words = []
        for file in files:
            for line in file.read_text("utf-8").splitlines():
                english, mark, chinese = line.partition("|")
                if not mark or not chinese:
                    raise ValueError(f"{file.name}: {line!r} is no sentence in two languages.")
                parts = _HOLE.split(english)[::2]
                pattern = re.compile(_pattern(parts), re.DOTALL)
                words.append((sum(map(str.isalpha, "".join(parts))), pattern, chinese))
        self._words = sorted(words, key=lambda one: -one[0])  # Those that say most come first.

    def sentence(self, mistake: Mistake) -> str | None:
        """Give a mistake's sentence in Chinese; None where it is not known."""
        return self.said(mistake.sentence, is_table=_is_of_table(mistake))

    def remedy(self, mistake: Mistake) -> str | None:
        """Give a mistake's remedy in Chinese; None where it is not known."""
        return self.said(mistake.remedy, is_table=_is_of_table(mistake))

    def said(self, text: str, *, is_table: bool = True) -> str | None:
        """Give a sentence, a remedy or a note in Chinese, with what stands before it: whose it is.

        Args:
            is_table: It is about a table, whose columns have Chinese headings; keys of a file keep their names.
        """
        for at in (one.start() for one in re.finditer(": ", text)):
            whose = _whose(text[:at])
            inner = None if whose is None else self.said(text[at + 2 :], is_table=is_table)
            if inner is not None:
                return f"{whose}:{inner}"
        found = _by_rule(text, is_table=is_table) or self._sentence(text, is_table=is_table)
        if found is not None:
            return found
        parts = re.split(r"(?<=[.?]) (?=[A-Z])", text)  # Two sentences.
        both = [found for part in parts if (found := self._sentence(part, is_table=is_table)) is not None]
        return "".join(both) if len(both) == len(parts) > 1 else None

    def _sentence(self, text: str, depth: int = 0, *, is_table: bool) -> str | None:
        for letters, pattern, chinese in self._words:
            found = pattern.fullmatch(text)
            if found is None:
                continue
            groups = [self._inside(group, depth, is_table=is_table) for group in found.groups()]
            if letters < _LETTERS_LEAST and any(_ENGLISH.search(group) for group in groups if group[:1] != '"'):
                continue
            return _filled(chinese, groups)
        return None

    def _inside(self, text: str, depth: int, *, is_table: bool) -> str:
        """Say what stands in a hole: a column by its heading, words that are known in Chinese, all else as it is."""
        if text in COLUMNS:
            return heading_of(text, "zh") if is_table else text
        if _LIST.fullmatch(text):
            return text.replace(", ", "、").replace(" and ", "、")
        if _FACTS.fullmatch(text):
            return re.sub(r" (?:is|in) ", " 为 ", text).replace(", ", "、")
        if depth >= _DEEPEST or _OWN.fullmatch(text):
            return text
        return self._sentence(text, depth + 1, is_table=is_table) or text


def _is_of_table(mistake: Mistake) -> bool:
    return not mistake.file.endswith(".toml")


def _pattern(parts: Sequence[str]) -> str:
    """Give what finds a sentence and what stands in its holes; one behind a letter is a part of that word."""
    pieces = [re.escape(parts[0])]
    for before, part in pairwise(parts):
        pieces += ["(\\w*?)" if before[-1:].isalpha() else "(.+?)", re.escape(part)]
    return "".join(pieces)


def _filled(chinese: str, groups: Sequence[str]) -> str:
    places = count()
    return _HOLE.sub(lambda hole: groups[int(hole[1]) if hole[1] else next(places)], chinese)


#: Words of this room: tables of tags, foreign lists.
WORDS: Final = Path(__file__).with_name("sentences_zh.txt")


def _by_rule(text: str, *, is_table: bool) -> str | None:
    """Say a sentence that needs more than words."""
    for pattern, said in _SENTENCES:
        found = pattern.match(text)
        if found is not None:
            words = found.groupdict()
            if is_table:
                words = {name: _word(word) if name in _COLUMNS else word for name, word in words.items()}
            return said.format(**words) if isinstance(said, str) else said(words)
    return None
