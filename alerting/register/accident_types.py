"""Types of accidents by GB 6441-2025 (in force 2026-07-01, in place of GB/T 6441-1986): basic types 1 to 26, and 99."""

from typing import Final

from alerting.register.field import Choice, Words

_TYPES: Final = (
    ("01", "struck by an object", "物体打击"),
    ("02", "vehicle inside the plant", "厂（场）内车辆伤害"),
    ("03", "road or rail vehicle", "道路、轨道车辆伤害"),
    ("04", "machinery", "机械伤害"),
    ("05", "lifting", "起重伤害"),
    ("06", "electric shock", "触电"),
    ("07", "drowning", "淹溺"),
    ("08", "burns", "灼烫"),
    ("09", "fire", "火灾"),
    ("10", "fall from height", "高处坠落"),
    ("11", "fall or trip", "跌倒"),
    ("12", "collapse", "坍塌"),
    ("13", "water hazard", "水害"),
    ("14", "vessel explosion", "容器爆炸"),
    ("15", "pipeline explosion", "管道爆炸"),
    ("16", "combustible gas explosion", "可燃气体爆炸"),
    ("17", "flammable vapour explosion", "可燃液体蒸气爆炸"),
    ("18", "dust explosion", "粉尘爆炸"),
    ("19", "civil explosives", "民用爆炸物品爆炸"),
    ("20", "fireworks", "烟花爆竹爆炸"),
    ("21", "other solid explosion", "其他固体爆炸"),
    ("22", "molten material explosion", "熔融物爆炸"),
    ("23", "poisoning", "中毒"),
    ("24", "asphyxiation", "窒息"),
    ("25", "landslide", "滑坡"),
    ("26", "leak", "泄漏"),
    ("99", "other", "其他"),
)
ACCIDENT_TYPES: Final = tuple(Choice(code=code, title=Words(f"{en}", f"{zh}")) for code, en, zh in _TYPES)
