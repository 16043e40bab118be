"""Tables 1 to 4 of GB 18218-2018 as data.

Critical quantities Q in tonnes (t); correction factors beta without unit. Read from a transcription of the standard
whose CAS numbers all have right check digits. Other public copies are known to be wrong (shifted rows of beta, Q of J5,
the concentration of nitrocellulose in solution) and were not used.
"""

from typing import Final, NamedTuple

EDITION: Final = "GB 18218-2018"
SOURCE: Final = {
    "en": "GB 18218-2018, tables 1 to 4, in force since 2019-03-01",
    "zh": "GB 18218-2018 表1–表4，2019-03-01 起实施",
}


class Named(NamedTuple):
    """One row of table 1: a substance by name.

    Attributes:
        key: Ours, for files and forms.
        cas: Its CAS numbers; several where the row names several, none where it names a group.
        critical_t: Q, t.
        beta: Of table 3 where the substance stands there; 0 elsewhere, then the class gives it.
    """

    key: str
    en: str
    zh: str
    cas: tuple[str, ...]
    critical_t: float
    beta: float = 0.0


class HazardClass(NamedTuple):
    """One row of tables 2 and 4: a class of hazard for substances without a name of their own.

    Attributes:
        symbol: As in the standard, e.g. ``W5.3``.
        critical_t: Q, t.
    """

    symbol: str
    en: str
    zh: str
    critical_t: float
    beta: float


#: Table 1, all 85 rows, by rising Q.
# fmt: off
TABLE_1: Final = (
    Named("phosgene", "phosgene", "碳酰氯（光气）", ("75-44-5",), 0.3, 20),
    Named("barium_azide", "barium azide", "叠氮化钡", ("18810-58-7",), 0.5),
    Named("lead_azide", "lead azide", "叠氮化铅", ("13424-46-9",), 0.5),
    Named("mercury_fulminate", "mercury fulminate", "雷汞", ("628-86-4",), 0.5),
    Named("methyl_isocyanate", "methyl isocyanate", "异氰酸甲酯", ("624-83-9",), 0.75, 20),
    Named("oxygen_difluoride", "oxygen difluoride", "二氟化氧", ("7783-41-7",), 1),
    Named("nitrogen_dioxide", "nitrogen dioxide", "二氧化氮", ("10102-44-0",), 1, 10),
    Named("fluorine", "fluorine", "氟", ("7782-41-4",), 1),
    Named("phosphine", "phosphine", "磷化氢", ("7803-51-2",), 1, 20),
    Named("arsine", "arsine", "砷化氢", ("7784-42-1",), 1),
    Named("stibine", "stibine", "锑化氢", ("7803-52-3",), 1),
    Named("hydrogen_selenide", "hydrogen selenide", "硒化氢", ("7783-07-5",), 1),
    Named("hydrogen_fluoride", "hydrogen fluoride", "氟化氢", ("7664-39-3",), 1, 5),
    Named("sulfur_monochloride", "disulfur dichloride", "一氯化硫", ("10025-67-9",), 1),
    Named("hydrogen_cyanide", "hydrogen cyanide", "氰化氢", ("74-90-8",), 1, 10),
    Named("nitroglycerin", "nitroglycerin", "硝化甘油", ("55-63-0",), 1),
    Named("nitrocellulose_dry", "nitrocellulose, dry or with less than 25 % water or alcohol", "硝化纤维素（干的或含水、乙醇＜25%）", ("9004-70-0",), 1),
    Named("nitrocellulose_unmodified", "nitrocellulose, unmodified or plasticised with less than 18 % plasticiser", "硝化纤维素（未改型的，或增塑的，含增塑剂＜18%）", ("9004-70-0",), 1),
    Named("acetylene", "acetylene", "乙炔", ("74-86-2",), 1),
    Named("aluminium_alkyls", "aluminium alkyls", "烷基铝", (), 1),
    Named("pentaborane", "pentaborane", "戊硼烷", ("19624-22-7",), 1),
    Named("potassium", "potassium", "钾", ("7440-09-7",), 1),
    Named("formaldehyde", "formaldehyde, over 90 %", "甲醛（含量＞90%）", ("50-00-0",), 5),
    Named("hydrogen_sulfide", "hydrogen sulfide", "硫化氢", ("7783-06-4",), 5, 5),
    Named("chlorine", "chlorine", "氯", ("7782-50-5",), 5, 4),
    Named("trinitroanisole", "2,4,6-trinitroanisole", "2,4,6-三硝基苯甲醚", ("28653-16-9",), 5),
    Named("trinitrotoluene", "2,4,6-trinitrotoluene", "2,4,6-三硝基甲苯", ("118-96-7",), 5),
    Named("ammonium_nitrate_sensitive", "ammonium nitrate with over 0.2 % combustible matter", "硝酸铵（含可燃物＞0.2%）", ("6484-52-2",), 5),
    Named("butadiene", "1,3-butadiene", "1,3-丁二烯", ("106-99-0",), 5),
    Named("hydrogen", "hydrogen", "氢", ("1333-74-0",), 5),
    Named("methylamine", "methylamine", "一甲胺", ("74-89-5",), 5),
    Named("ammonia", "ammonia", "氨", ("7664-41-7",), 10, 2),
    Named("ethylene_oxide", "ethylene oxide", "环氧乙烷", ("75-21-8",), 10, 2),
    Named("methyl_bromide", "methyl bromide", "溴甲烷", ("74-83-9",), 10, 3),
    Named("nitrocellulose_alcohol", "nitrocellulose with 25 % alcohol or more", "硝化纤维素（含乙醇≥25%）", ("9004-70-0",), 10),
    Named("propylene_oxide", "propylene oxide", "环氧丙烷", ("75-56-9",), 10),
    Named("diethyl_ether", "diethyl ether", "乙醚", ("60-29-7",), 10),
    Named("peracetic_acid", "peracetic acid", "过乙酸", ("79-21-0",), 10),
    Named("methyl_ethyl_ketone_peroxide", "methyl ethyl ketone peroxide", "过氧化甲基乙基酮", ("1338-23-4",), 10),
    Named("sodium", "sodium", "钠", ("7440-23-5",), 10),
    Named("sulfur_dioxide", "sulfur dioxide", "二氧化硫", ("7446-09-5",), 20, 2),
    Named("hydrogen_chloride", "hydrogen chloride, anhydrous", "氯化氢（无水）", ("7647-01-0",), 20, 3),
    Named("coal_gas", "coal gas (CO, and mixtures of CO with H2 or CH4)", "煤气（CO，CO 与 H2、CH4 的混合物等）", (), 20),
    Named("acetone_cyanohydrin", "acetone cyanohydrin", "丙酮氰醇", ("75-86-5",), 20),
    Named("acrolein", "acrolein", "丙烯醛", ("107-02-8",), 20),
    Named("epichlorohydrin", "epichlorohydrin", "环氧氯丙烷", ("106-89-8",), 20),
    Named("epibromohydrin", "epibromohydrin", "环氧溴丙烷", ("3132-64-7",), 20),
    Named("allylamine", "allylamine", "烯丙胺", ("107-11-9",), 20),
    Named("bromine", "bromine", "溴", ("7726-95-6",), 20),
    Named("ethyleneimine", "ethyleneimine", "乙撑亚胺", ("151-56-4",), 20),
    Named("potassium_peroxide", "potassium peroxide", "过氧化钾", ("17014-71-0",), 20),
    Named("sodium_peroxide", "sodium peroxide", "过氧化钠", ("1313-60-6",), 20),
    Named("fuming_nitric_acid", "nitric acid, fuming", "发烟硝酸", ("52583-42-3",), 20),
    Named("nitrocellulose_low_nitrogen", "nitrocellulose with 12.6 % nitrogen or less", "硝化纤维素（含氮≤12.6%）", ("9004-70-0",), 50),
    Named("nitrocellulose_water", "nitrocellulose with 25 % water or more", "硝化纤维素（含水≥25%）", ("9004-70-0",), 50),
    Named("nitrocellulose_solution", "nitrocellulose in solution, 12.6 % nitrogen or less, 55 % nitrocellulose or less", "硝化纤维素溶液（含氮≤12.6%，含硝化纤维素≤55%）", ("9004-70-0",), 50),
    Named("ammonium_nitrate", "ammonium nitrate with 0.2 % combustible matter or less", "硝酸铵（含可燃物≤0.2%）", ("6484-52-2",), 50),
    Named("dimethyl_ether", "dimethyl ether", "二甲醚", ("115-10-6",), 50),
    Named("methane", "methane, natural gas", "甲烷、天然气", ("74-82-8", "8006-14-2"), 50),
    Named("vinyl_chloride", "vinyl chloride", "氯乙烯", ("75-01-4",), 50),
    Named("lpg", "liquefied petroleum gas, with propane, butane and their mixtures", "液化石油气（含丙烷、丁烷及其混合物）", ("68476-85-7", "74-98-6", "106-97-8"), 50),
    Named("ethylene", "ethylene", "乙烯", ("74-85-1",), 50),
    Named("benzene", "benzene", "苯", ("71-43-2",), 50),
    Named("acrylonitrile", "acrylonitrile", "丙烯腈", ("107-13-1",), 50),
    Named("carbon_disulfide", "carbon disulfide", "二硫化碳", ("75-15-0",), 50),
    Named("white_phosphorus", "white phosphorus", "白磷", ("12185-10-3",), 50),
    Named("guanidine_nitrate", "guanidine nitrate", "硝酸胍", ("506-93-4",), 50),
    Named("sulfur_trioxide", "sulfur trioxide", "三氧化硫", ("7446-11-9",), 75),
    Named("toluene_diisocyanate", "toluene diisocyanate", "甲苯二异氰酸酯", ("26471-62-5",), 100),
    Named("potassium_chlorate", "potassium chlorate", "氯酸钾", ("3811-04-9",), 100),
    Named("sodium_chlorate", "sodium chlorate", "氯酸钠", ("7775-09-9",), 100),
    Named("nitric_acid", "nitric acid, over 70 %, not red fuming", "硝酸（发红烟的除外，含硝酸＞70%）", ("7697-37-2",), 100),
    Named("calcium_carbide", "calcium carbide", "碳化钙", ("75-20-7",), 100),
    Named("ammonium_nitrate_fertiliser", "ammonium nitrate fertiliser with 0.4 % combustible matter or less", "硝酸铵基化肥（含可燃物≤0.4%）", (), 200),
    Named("oxygen", "oxygen, compressed or liquefied", "氧（压缩的或液化的）", ("7782-44-7",), 200),
    Named("gasoline", "gasoline, with those that contain ethanol or methanol", "汽油（乙醇汽油、甲醇汽油）", ("86290-81-5",), 200),
    Named("styrene", "styrene", "苯乙烯", ("100-42-5",), 500),
    Named("acetone", "acetone", "丙酮", ("67-64-1",), 500),
    Named("cyclohexane", "cyclohexane", "环己烷", ("110-82-7",), 500),
    Named("toluene", "toluene", "甲苯", ("108-88-3",), 500),
    Named("methanol", "methanol", "甲醇", ("67-56-1",), 500),
    Named("ethanol", "ethanol", "乙醇", ("64-17-5",), 500),
    Named("ethyl_acetate", "ethyl acetate", "乙酸乙酯", ("141-78-6",), 500),
    Named("hexane", "n-hexane", "正己烷", ("110-54-3",), 500),
    Named("potassium_nitrate", "potassium nitrate", "硝酸钾", ("7757-79-1",), 1000),
)
# fmt: on

#: Table 3: gases that have a beta by name and no row of table 1 by that name.
NAMED_BETA: Final = {"630-08-0": 2.0}  # Carbon monoxide: Q by its class or as coal gas, beta by name.

#: Table 2 (Q) and table 4 (beta).
# fmt: off
CLASSES: Final = (
    HazardClass("J1", "acute toxicity category 1, any route, gas", "急性毒性 类别1，所有暴露途径，气体", 5, 4),
    HazardClass(
        "J2", "acute toxicity category 1, any route, solid or liquid", "急性毒性 类别1，所有暴露途径，固体、液体", 50, 1
    ),
    HazardClass(
        "J3", "acute toxicity category 2 or 3, any route, gas", "急性毒性 类别2、类别3，所有暴露途径，气体", 50, 2
    ),
    HazardClass(
        "J4",
        "acute toxicity category 2 or 3, inhalation, liquid boiling at 35 °C or below",
        "急性毒性 类别2、类别3，吸入途径，液体（沸点≤35 ℃）",
        50,
        2,
    ),
    HazardClass(
        "J5",
        "acute toxicity category 2, any route, liquid other than J4, or solid",
        "急性毒性 类别2，所有暴露途径，液体（J4 以外）、固体",
        500,
        1,
    ),
    HazardClass("W1.1", "unstable explosives, explosives of division 1.1", "不稳定爆炸物、1.1 项爆炸物", 1, 2),
    HazardClass("W1.2", "explosives of divisions 1.2, 1.3, 1.5, 1.6", "1.2、1.3、1.5、1.6 项爆炸物", 10, 2),
    HazardClass("W1.3", "explosives of division 1.4", "1.4 项爆炸物", 50, 2),
    HazardClass("W2", "flammable gases category 1 or 2", "易燃气体 类别1、类别2", 10, 1.5),
    HazardClass("W3", "aerosols category 1 or 2 (net quantity)", "气溶胶 类别1、类别2（净重）", 150, 1),
    HazardClass("W4", "oxidising gases category 1", "氧化性气体 类别1", 50, 1),
    HazardClass(
        "W5.1",
        "flammable liquids category 1; category 2 or 3 worked above their boiling point",
        "易燃液体 类别1；类别2、3，工作温度高于沸点",
        10,
        1.5,
    ),
    HazardClass(
        "W5.2",
        "flammable liquids category 2 or 3 under special process conditions (hazardous process, in or near the explosive range, above 1.6 MPa)",
        "易燃液体 类别2、3，具有引发重大事故的特殊工艺条件（危险化工工艺、爆炸极限范围或附近操作、操作压力大于 1.6 MPa 等）",
        50,
        1,
    ),
    HazardClass("W5.3", "other flammable liquids category 2", "不属于 W5.1 或 W5.2 的其他类别2 易燃液体", 1000, 1),
    HazardClass("W5.4", "other flammable liquids category 3", "不属于 W5.1 或 W5.2 的其他类别3 易燃液体", 5000, 1),
    HazardClass("W6.1", "self-reactive substances type A or B", "自反应物质 A型、B型", 10, 1.5),
    HazardClass("W6.2", "self-reactive substances type C, D or E", "自反应物质 C型、D型、E型", 50, 1),
    HazardClass("W7.1", "organic peroxides type A or B", "有机过氧化物 A型、B型", 10, 1.5),
    HazardClass("W7.2", "organic peroxides type C, D, E or F", "有机过氧化物 C型、D型、E型、F型", 50, 1),
    HazardClass("W8", "pyrophoric liquids or solids category 1", "自燃液体、自燃固体 类别1", 50, 1),
    HazardClass("W9.1", "oxidising solids or liquids category 1", "氧化性固体、液体 类别1", 50, 1),
    HazardClass("W9.2", "oxidising solids or liquids category 2 or 3", "氧化性固体、液体 类别2、类别3", 200, 1),
    HazardClass("W10", "flammable solids category 1", "易燃固体 类别1", 200, 1),
    HazardClass(
        "W11",
        "substances that give flammable gas with water, category 1 or 2",
        "遇水放出易燃气体的物质和混合物 类别1、类别2",
        200,
        1,
    ),
)
# fmt: on

BY_KEY: Final = {row.key: row for row in TABLE_1}
BY_CLASS: Final = {row.symbol: row for row in CLASSES}
#: Rows of table 1 by CAS number; nitrocellulose and ammonium nitrate stand in several, by their concentration.
BY_CAS: Final = {cas: tuple(row for row in TABLE_1 if cas in row.cas) for row in TABLE_1 for cas in row.cas}
