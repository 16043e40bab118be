"""Grading of a risk: D = L·E·C or R = L·S, from factors that each have a word; for events and analysis sheets alike.

Why: a factor between two words is a guess that nobody can defend before an inspector; only those of the table count.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from alerting.model.risk import RiskPolicy
from alerting.register.field import Choice, Field, Kind, Surroundings, Values, Words, Wrong

#: Graham and Kinney's factors (LEC, 作业条件危险性评价), each with its word.
LIKELIHOOD: Final[dict[float, Words]] = {
    10: Words("fully expected", "完全可以预料"),
    6: Words("quite possible", "相当可能"),
    3: Words("possible, but not usual", "可能，但不经常"),
    1: Words("unlikely, quite unexpected", "可能性小，完全意外"),
    0.5: Words("conceivable, very unlikely", "很不可能，可以设想"),
    0.2: Words("almost impossible", "极不可能"),
    0.1: Words("practically impossible", "实际不可能"),
}
EXPOSURE: Final[dict[float, Words]] = {
    10: Words("continuous", "连续暴露"),
    6: Words("daily in working hours", "每天工作时间内暴露"),
    3: Words("weekly or occasional", "每周一次或偶然暴露"),
    2: Words("monthly", "每月一次暴露"),
    1: Words("a few times a year", "每年几次暴露"),
    0.5: Words("very rare", "非常罕见暴露"),
}
SEVERITY: Final[dict[float, Words]] = {
    100: Words("catastrophe, many deaths", "大灾难，许多人死亡"),
    40: Words("disaster, several deaths", "灾难，数人死亡"),
    15: Words("very serious, one death", "非常严重，一人死亡"),
    7: Words("serious injury", "严重，重伤"),
    3: Words("disabling", "重大，致残"),
    1: Words("needs first aid", "引人注目，需要救护"),
}
#: Factors of the 5 × 5 matrix (LS); what each step means is the site's own.
STEPS: Final[dict[float, Words]] = {
    5: Words("highest", "最高"),
    4: Words("high", "高"),
    3: Words("middle", "中"),
    2: Words("low", "低"),
    1: Words("lowest", "最低"),
}
ALLOWED: Final[dict[str, dict[str, dict[float, Words]]]] = {
    "lec": {"likelihood": LIKELIHOOD, "exposure": EXPOSURE, "severity": SEVERITY},
    "matrix": {"likelihood": STEPS, "severity": STEPS},
}
FACTORS: Final = ("likelihood", "exposure", "severity")
METHODS: Final = (
    Choice(code="lec", title=Words("LEC, D = L·E·C", "作业条件危险性评价 LEC（D=L·E·C）")),
    Choice(code="matrix", title=Words("risk matrix, R = L·S", "风险矩阵 LS（R=L·S）")),
)
GRADES: Final = (
    Choice(code="1", title=Words("major (red)", "重大风险（红）")),
    Choice(code="2", title=Words("larger (orange)", "较大风险（橙）")),
    Choice(code="3", title=Words("general (yellow)", "一般风险（黄）")),
    Choice(code="4", title=Words("low (blue)", "低风险（蓝）")),
)
_TITLES: Final = {
    "likelihood": Words("Likelihood L", "可能性 L"),
    "exposure": Words("Exposure E", "暴露频度 E"),
    "severity": Words("Severity C or S", "后果 C/S"),
}
_LETTERS: Final = {"likelihood": "L", "exposure": "E", "severity": "C"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One of the two times at which a risk is graded.

    Attributes:
        ends: What the names of its fields end with.
        title: What its headings begin with.
    """

    ends: str
    title: Words


#: As if no measure were there, and with the measures that are.
INHERENT: Final = Turn(ends="_inherent", title=Words("Inherent", "固有"))
CURRENT: Final = Turn(ends="", title=Words("Current", "现状"))


def method_field(*, is_required: bool = True) -> Field:
    """Give the field that says how a record is graded."""
    return Field(
        name="method", title=Words("Method", "评价方法"), kind=Kind.CHOICE, choices=METHODS, is_required=is_required
    )


def grading_fields(turn: Turn, *, is_required: bool, is_listed: bool = True) -> tuple[Field, ...]:
    """Give the factors of a turn, and what is worked out of them."""
    factors = tuple(
        Field(
            name=factor + turn.ends,
            title=Words(f"{turn.title.en}: {_TITLES[factor].en}", f"{turn.title.zh}{_TITLES[factor].zh}"),
            kind=Kind.NUMBER,
            least=0.1,
            most=100,
            is_required=is_required and factor != "exposure",
            help=_help(factor),
        )
        for factor in FACTORS
    )
    worked_out = (
        Field(
            name="risk" + turn.ends,
            title=Words(f"{turn.title.en}: D or R", f"{turn.title.zh}风险值 D/R"),
            kind=Kind.NUMBER,
            is_derived=True,
        ),
        Field(
            name="grade" + turn.ends,
            title=Words(f"{turn.title.en} risk", f"{turn.title.zh}风险等级"),
            kind=Kind.CHOICE,
            choices=GRADES,
            is_listed=is_listed,
            is_derived=True,
        ),
    )
    return (*factors, *worked_out)


def _help(factor: str) -> Words:
    of_lec = ALLOWED["lec"][factor]
    en = "; ".join(f"{number:g} {words.en}" for number, words in of_lec.items())
    zh = "；".join(f"{number:g} {words.zh}" for number, words in of_lec.items())
    if factor == "exposure":
        return Words(f"LEC: {en}. Empty with the matrix.", f"LEC：{zh}。矩阵法留空。")
    return Words(f"LEC: {en}. Matrix: 1 to 5.", f"LEC：{zh}。矩阵法：1–5。")


def check_grading(values: Values, turn: Turn) -> list[Wrong]:
    """Say which factors of a turn are none of its method's."""
    method = values.get("method", "")
    allowed = ALLOWED.get(method, {})
    given = [factor for factor in FACTORS if factor + turn.ends in values]
    wrongs: list[Wrong] = []
    if not given and method:
        return wrongs
    if given and not method:
        rule = Words("factors are given, but no method", "已填写评价因子，但未选择评价方法")
        return [Wrong(field="method", rule=rule, remedy=Words("Choose LEC or the matrix.", "请选择 LEC 或风险矩阵。"))]
    for factor in FACTORS:
        name, number = factor + turn.ends, values.get(factor + turn.ends)
        if factor not in allowed:
            if number is not None:
                rule = Words("the matrix has no exposure", "风险矩阵没有暴露频度")
                wrongs.append(
                    Wrong(field=name, value=f"{number:g}", rule=rule, remedy=Words("Leave it empty.", "请留空。"))
                )
        elif number is None and method:
            rule = Words(f"{_LETTERS[factor]} is missing", f"缺少 {_LETTERS[factor]}")
            wrongs.append(Wrong(field=name, rule=rule, remedy=_offer(allowed[factor])))
        elif number not in allowed[factor]:
            rule = Words("it is no factor of the chosen method", "不是所选评价方法的取值")
            wrongs.append(Wrong(field=name, value=f"{number:g}", rule=rule, remedy=_offer(allowed[factor])))
    return wrongs


def _offer(allowed: Mapping[float, Words]) -> Words:
    numbers = [f"{number:g}" for number in sorted(allowed)]
    return Words(f"One of: {', '.join(numbers)}.", f"可取：{'、'.join(numbers)}。")


def derive_grading(values: Values, policy: RiskPolicy, turn: Turn) -> Values:
    """Work out value and grade of a turn; nothing where it was not graded."""
    method = values.get("method")
    allowed = ALLOWED.get(str(method), {})
    if not allowed or any(factor + turn.ends not in values for factor in allowed):
        return {}
    value = 1.0
    for factor in allowed:
        value *= values[factor + turn.ends]
    value = round(value, 6)  # 0.2 · 3 · 7 is 4.2; what the last bit says is no risk.
    return {"risk" + turn.ends: value, "grade" + turn.ends: str(policy.grade(str(method), value))}


def check_both(values: Values, _: Surroundings) -> list[Wrong]:
    """Check a record that is graded twice: measures never raise a risk."""
    wrongs = check_grading(values, INHERENT) + check_grading(values, CURRENT)
    if wrongs:
        return wrongs
    plain = RiskPolicy()
    before, now = derive_grading(values, plain, INHERENT), derive_grading(values, plain, CURRENT)
    if before and now and now["risk"] > before["risk_inherent"]:
        rule = Words(
            f"with its measures the risk would be {now['risk']:g}, without them {before['risk_inherent']:g}",
            f"现状风险值 {now['risk']:g} 高于固有风险值 {before['risk_inherent']:g}",
        )
        remedy = Words(
            "Measures lower a risk or leave it; check the factors of both.", "管控措施不会增大风险，请核对两组因子。"
        )
        return [Wrong(field="likelihood", value=f"{now['risk']:g}", rule=rule, remedy=remedy)]
    return []


def derive_both(values: Values, around: Surroundings) -> Values:
    """Work out both turns of a record."""
    return derive_grading(values, around.risk, INHERENT) | derive_grading(values, around.risk, CURRENT)
