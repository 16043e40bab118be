"""Heading: what the columns of a tag table, and the words in them, are called in Chinese.

Why: the list of tags of a plant in China has Chinese headings; a table that must be translated first is a table that
     is never kept up to date.

A heading in brackets or with a unit in brackets counts without it: ``量程上限(MPa)`` is ``量程上限``. The first
heading of a column is the one that an exported table has.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

CHINESE: Final[Mapping[str, tuple[str, ...]]] = {
    "tag": ("位号", "点位", "测点", "测点编号", "标签", "点号"),
    "title_en": ("英文名称", "英文描述"),
    "title_zh": ("名称", "描述", "中文名称", "测点名称", "点位名称", "测点描述"),
    "source": ("数据源", "来源", "采集源"),
    "unit": ("危险源单元", "危险源", "重大危险源", "单元", "装置"),
    "kind": ("测量类型", "参数类型", "监测类型", "参数"),
    "eu": ("工程单位", "计量单位", "单位"),
    "range_lo": ("量程下限", "量程低限", "测量下限"),
    "range_hi": ("量程上限", "量程高限", "测量上限"),
    "resolution": ("分辨率", "最小变化"),
    "period_s": ("采集周期", "扫描周期", "周期"),
    "table": ("寄存器区", "寄存器类型", "数据区"),
    "register": ("寄存器", "寄存器地址", "起始地址"),
    "type": ("数据类型",),
    "order": ("字节序", "字节顺序", "字序"),
    "bit": ("位", "位号序", "比特位"),
    "mask": ("掩码", "位掩码"),
    "shift": ("移位", "右移位数"),
    "length": ("长度", "字节数", "字符串长度"),
    "map": ("文本映射", "状态映射", "映射"),
    "scale": ("系数", "倍率", "比例系数"),
    "offset": ("偏移", "偏移量"),
    "sentinel": ("无效值", "填充值"),
    "signal": ("信号类型", "信号", "信号制"),
    "node_id": ("节点标识", "节点", "节点ID", "节点号"),
    "LL": ("低低限", "低低报", "低低报警", "下下限"),
    "L": ("低限", "低报", "低报警", "下限"),
    "H": ("高限", "高报", "高报警", "上限"),
    "HH": ("高高限", "高高报", "高高报警", "上上限"),
    "tier_LL": ("低低限级别", "低低报级别"),
    "tier_L": ("低限级别", "低报级别"),
    "tier_H": ("高限级别", "高报级别"),
    "tier_HH": ("高高限级别", "高高报级别"),
    "deadband": ("死区", "回差"),
    "on_delay_s": ("报警延时", "延时"),
    "off_delay_s": ("恢复延时", "消警延时"),
    "rate": ("变化率限", "变化率"),
    "rate_window_s": ("变化率窗口",),
    "tier_rate": ("变化率级别",),
    "trend_to": ("趋势目标限", "趋势限"),
    "trend_horizon_s": ("趋势预警时间", "趋势时间"),
    "trend_alpha": ("趋势增益",),
    "tier_trend": ("趋势级别",),
    "stale_s": ("断数时间", "中断时间", "超时时间"),
    "tier_stale": ("断数级别", "中断级别"),
    "bad_s": ("坏值时间",),
    "tier_bad": ("坏值级别",),
    "enable": ("启用条件",),
    "enable_no_data": ("断数启用条件",),
    "schedule": ("判定时段",),
    "schedule_no_data": ("断数判定时段",),
    "latching": ("锁存", "自锁", "报警锁存"),
    "response_en": ("英文处置措施",),
    "response_zh": ("处置措施", "响应措施", "应急措施"),
}

_TIER: Final = {
    **dict.fromkeys(("红", "红色", "红色预警"), "RED"),
    **dict.fromkeys(("橙", "橙色", "橙色预警"), "ORANGE"),
    **dict.fromkeys(("黄", "黄色", "黄色预警"), "YELLOW"),
    **dict.fromkeys(("蓝", "蓝色", "蓝色预警"), "BLUE"),
}
#: Chinese words in the cells of a column, and what they are here.
WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    **{column: _TIER for column in CHINESE if column.startswith("tier_")},
    "latching": {"是": "yes", "否": "no"},
    "table": {
        **dict.fromkeys(("保持寄存器", "保持"), "holding"),
        **dict.fromkeys(("输入寄存器", "输入"), "input"),
        **dict.fromkeys(("线圈", "输出线圈"), "coil"),
        **dict.fromkeys(("离散输入", "输入状态", "离散量输入"), "discrete"),
    },
}

_BRACKETED = re.compile(r"[(（\[【][^)）\]】]*[)）\]】]")
#: Seconds in what a heading's brackets or a cell count times in.
SECONDS: Final[Mapping[str, Decimal]] = {
    **dict.fromkeys(("ms", "毫秒"), Decimal("0.001")),
    **dict.fromkeys(("s", "sec", "秒"), Decimal(1)),
    **dict.fromkeys(("min", "分", "分钟"), Decimal(60)),
    **dict.fromkeys(("h", "hour", "小时"), Decimal(3600)),
}
_TIMED = re.compile(rf"([+-]?\d+(?:\.\d+)?)\s*({'|'.join(sorted(SECONDS, key=len, reverse=True))})?", re.IGNORECASE)
_BLANK = re.compile(r"[\s_:：*＊]+")


def _plain(heading: str) -> str:
    return _BLANK.sub("", _BRACKETED.sub("", heading)).casefold()


_COLUMN_OF: Final = {_plain(word): column for column, words in CHINESE.items() for word in words}


def column_of(heading: str) -> str:
    """Give the column that a Chinese heading means; the heading itself where it is none that we know."""
    return _COLUMN_OF.get(_plain(heading), heading)


def counted_in(heading: str) -> Decimal:
    """Give the seconds in the unit of time that a heading has in brackets: 0.001 of ``采集周期(ms)``, 1 without one."""
    for bracketed in _BRACKETED.findall(heading):
        unit = SECONDS.get(bracketed[1:-1].strip().casefold())
        if unit is not None:
            return unit
    return Decimal(1)


def in_seconds(cell: str, unit: Decimal) -> str:
    """Write a time in seconds: ``500ms`` is ``0.5``, a bare number counts the unit; anything else stays as it is."""
    found = _TIMED.fullmatch(cell)
    if found is None:
        return cell
    of = SECONDS[found[2].casefold()] if found[2] else unit
    return cell if of == 1 and not found[2] else f"{(Decimal(found[1]) * of).normalize():f}"


def word_of(column: str, cell: str) -> str:
    """Give the word that a Chinese one in a column means; the cell itself where it is none that we know."""
    return WORDS.get(column, {}).get(cell, cell)


def heading_of(column: str, language: str) -> str:
    """Give the heading of a column in an exported table; the column's own name where there is no other."""
    return CHINESE[column][0] if language == "zh" and column in CHINESE else column
