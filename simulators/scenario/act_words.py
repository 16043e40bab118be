"""What a person reads of an act for which its story has no words: verb, unit and amount, in both languages."""

from collections.abc import Mapping
from typing import Final

from simulators.plant import Act
from simulators.plant.port import Verb

#: By verb: English, Chinese. A verb means the same on every plant.
VERBS: Final[Mapping[str, tuple[str, str]]] = {
    "air": ("air", "空气"),
    "arrive": ("persons arrive", "人员到达"),
    "clog": ("oil strainer clogs", "油过滤器堵塞"),
    "close": ("closed", "关闭"),
    "control": ("level control takes over", "转为液位控制"),
    "draw": ("draw", "用气量"),
    "free": ("left free", "畅通"),
    "inlet": ("inlet", "进料"),
    "key": ("maintenance key", "检修钥匙"),
    "leak": ("leak", "泄漏"),
    "level": ("level", "液位"),
    "load": ("heat load", "热负荷"),
    "open": ("opened", "打开"),
    "outlet": ("outlet", "出料"),
    "pump": ("pump", "泵送"),
    "rain": ("rain", "降雨"),
    "release": ("release", "释放"),
    "seep": ("seepage", "渗水"),
    "shut": ("shut", "切断"),
    "start": ("started", "启动"),
    "stay": ("stay", "停留"),
    "stop": ("stopped", "停机"),
    "swing": ("swing of the day's demand", "日用气波动"),
    "tear": ("tear", "撕裂"),
    "turn_back": ("turn back", "折返"),
    "vent": ("vent", "呼吸阀"),
    "water": ("cooling water", "冷却水"),
    "wind": ("wind", "风速"),
    "wind_from": ("wind from", "风向"),
}
#: Chinese of the units of amounts that are words.
UNITS_ZH: Final[Mapping[str, str]] = {
    "1 under maintenance": "(1 为检修中)",
    "degrees": "度",
    "kW of all rooms": "kW(全部库房)",
    "litres/s": "升/s",
    "litres/s of methane": "升/s 甲烷",
    "persons/s": "人/s",
    "share by which the day moves demand": "(比例)",
    "share of the breather valve that is free": "(呼吸阀畅通比例)",
    "share of the exit's width": "(出口宽度比例)",
    "share of the leaving": "(离开者比例)",
    "share of the leaving that go down the stairway": "(离开者中走楼梯的比例)",
    "share of the width": "(宽度比例)",
    "% of the oil strainer a minute": "%/min(油过滤器)",
    "g/s of ammonia into the machine room": "g/s 氨(机房)",
    "°C of the condenser's water": "°C",
}


def words_of(act: Act, can: Verb) -> dict[str, str]:
    """Say an act by language; ``can`` is what its plant says of the verb, with the unit of its amount."""
    en, zh = VERBS.get(act.verb, (act.verb, act.verb))
    if not can.amount:
        return {"en": f"{act.unit}: {en}.", "zh": f"{act.unit}:{zh}。"}
    unit = unit_of(can)
    return {
        "en": f"{act.unit}: {en}, {act.amount:g} {unit}.",
        "zh": f"{act.unit}:{zh} {act.amount:g} {UNITS_ZH.get(unit, unit)}。",
    }


def unit_of(can: Verb) -> str:
    """Give the unit of a verb's amount, without what its description adds behind a comma or semicolon."""
    return can.amount.split(";")[0].split(",")[0]
