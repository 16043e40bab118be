"""Field: one column of a ledger, declared with its words, unit and bounds; and how a cell becomes its value.

Flow: a form's value or a spreadsheet's cell -> [read] -> value as JSON keeps it, or what is wrong with it
Why: forms, imports, exports, the page and refusals of all ledgers follow from the declarations; nothing is said twice.
"""

import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

from alerting.model.risk import RiskPolicy
from alerting.register.cas import FORM, check_digit, is_cas
from alerting.register.coordinates import CORNERS_MAX, SPAN_MAX_DEG, NoOutline, read_outline, read_place, write_outline
from alerting.register.link import LINK_MAX, SCHEMES, fault_of
from alerting.response.checklist import FAULTS_SHOWN, NoChecklist, read_steps, write_steps

TEXT_MAX: Final = 200
LONG_MAX: Final = 4_000
STEPS_TEXT_MAX: Final = 12_000
CODE: Final = re.compile(r"^[\w][\w.\-/（）() ]{0,63}$")
PHONE: Final = re.compile(r"^\+?[0-9][0-9 \-]{4,24}$")
#: A number with a unit behind it, as people write into cells; refused, for nobody converts silently.
WITH_UNIT: Final = re.compile(r"^([0-9.,+\-eE]+)\s*([^\d\s.,+\-].*)$")
#: What parts codes in a list of them.
PARTED: Final = re.compile(r"[;；,，、\n]")
YES: Final = frozenset({"yes", "true", "1", "y", "是", "有"})
NO: Final = frozenset({"no", "false", "0", "n", "否", "无"})


class Kind(StrEnum):
    """What a field holds."""

    CODE = "code"
    TEXT = "text"
    LONG = "long"
    NUMBER = "number"
    WHOLE = "whole"
    DATE = "date"
    MOMENT = "moment"  # Day and minute by the site's clock.
    FLAG = "flag"
    CHOICE = "choice"
    PHONE = "phone"
    CAS = "cas"
    RECORD = "record"  # The code of a record in another ledger.
    RECORDS = "records"  # Codes of several, parted by semicolons.
    UNIT = "unit"  # The id of a hazard unit of the site.
    TAG = "tag"  # The name of a tag of the site.
    ALARM = "alarm"  # The id of an alarm that rang here.
    POST = "post"  # A post of the site's roster.
    STEPS = "steps"  # A checklist, one line a step.
    LINK = "link"  # Address of a file, a picture or a stream.
    OUTLINE = "outline"  # Corners on the map, longitude and latitude in CGCS2000.
    POINT = "point"  # One position, longitude and latitude in CGCS2000.


class Words(NamedTuple):
    """The same in both languages."""

    en: str
    zh: str

    def both(self) -> dict[str, str]:
        """Give them by language."""
        return {"en": self.en, "zh": self.zh}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One word that a field takes."""

    code: str
    title: Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field.

    Attributes:
        eu: Unit of a number, e.g. ``t``; shown in every heading.
        least, most: Bounds of a number, both allowed.
        ledger: For a record: the ledger it is in.
        is_past: A date that may not lie in the future.
        is_listed: Shown in the list of records.
        is_by_act: Filled by an act alone, never by a form.
        is_derived: Worked out of the others; what a form or a sheet says of it is not read.
        help: What to write, and the clause that asks for it.
    """

    name: str
    title: Words
    kind: Kind = Kind.TEXT
    eu: str = ""
    is_required: bool = False
    least: float = -math.inf
    most: float = math.inf
    choices: Sequence[Choice] = ()
    ledger: str = ""
    is_past: bool = False
    is_listed: bool = False
    is_by_act: bool = False
    is_derived: bool = False
    help: Words | None = None

    def heading(self, language: str) -> str:
        """Give the heading of its column: title, and the unit where it has one."""
        title = self.title.zh if language == "zh" else self.title.en
        return f"{title} ({self.eu})" if self.eu else title


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """What is wrong with a field, and what to do about it."""

    field: str
    rule: Words
    remedy: Words
    value: str = ""


Values = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What a cell came to: its value, None where it is empty, or what is wrong with it."""

    value: Any = None
    wrong: Wrong | None = None


def _is_weekday(on: date) -> bool:
    return on.weekday() < 5  # noqa: PLR2004 - Saturday


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a record is checked against.

    Attributes:
        today: By the site's time zone.
        now: The minute by the site's clock, as a moment is kept; empty where nobody knows.
        who: Name of the person who asks; empty for none.
        units: Ids of the site's hazard units.
        tags: Names of the site's tags, with their engineering units.
        codes: Codes of the records that are there, by ledger.
        alarms: Ids of alarms that rang here.
        posts: Ids of the posts of the site's roster, with their titles.
        people: Names of the users.
        is_workday: Tells whether a day is one of work at the site.
        risk: How the site grades its risks.
        found: What the gateway counts today, for a record that states it.
        signers: Who alone may sign; empty for whoever may write.
        rosters: Rosters of large events that the site declares.
        ladders: Escalations of large events that the site declares.
        takes: How many persons each crowd zone takes at once, by code; of those that the rows name.
        filings: Large events that are planned or filed, by code.
        points: Values of the exposure points that the rows name, by code.
        work: Values of the work tickets that the rows name, by code.
        tests: Values of the gas tests of the work tickets that the rows are, by the ticket's code.
    """

    today: date
    now: str = ""
    who: str = ""
    units: frozenset[str] = frozenset()
    tags: Mapping[str, str] = field(default_factory=dict)
    codes: dict[str, frozenset[str]] = field(default_factory=dict)
    alarms: frozenset[str] = frozenset()
    posts: Mapping[str, Collection[str]] = field(default_factory=dict)
    people: frozenset[str] = frozenset()
    is_workday: Callable[[date], bool] = _is_weekday
    risk: RiskPolicy = field(default_factory=RiskPolicy)
    found: Mapping[str, Any] = field(default_factory=dict)
    signers: Collection[str] = ()
    rosters: Collection[str] = ()
    ladders: Collection[str] = ()
    takes: Mapping[str, int] = field(default_factory=dict)
    filings: Mapping[str, Values] = field(default_factory=dict)
    points: Mapping[str, Values] = field(default_factory=dict)
    work: Mapping[str, Values] = field(default_factory=dict)
    tests: Mapping[str, Sequence[Values]] = field(default_factory=dict)


def show(value: object) -> str:
    """Write a wrong value into a refusal: short, on one line."""
    text = " ".join(str(value).split())
    return text if len(text) <= 60 else text[:60] + "…"  # noqa: PLR2004 - as wide as a cell


def read_cell(of: Field, raw: object, around: Surroundings) -> Cell:
    """Read what a form or a cell holds.

    Args:
        raw: JSON of a form, or text, number, date or nothing of a cell.
    """
    if isinstance(raw, str):
        raw = raw.strip()
    if raw is None or raw == "":
        if of.is_required:
            return _wrong(of, raw, Words("it is missing", "缺少该项"), Words("Fill it in.", "请填写。"))
        return Cell()
    return _READERS[of.kind](of, raw, around)


def _wrong(of: Field, raw: object, rule: Words, remedy: Words) -> Cell:
    return Cell(wrong=Wrong(field=of.name, rule=rule, remedy=remedy, value="" if raw is None else show(raw)))


def _text(of: Field, raw: object, _: Surroundings) -> Cell:
    text = _as_text(raw)
    most = LONG_MAX if of.kind is Kind.LONG else TEXT_MAX
    if len(text) > most:
        return _wrong(
            of,
            raw,
            Words(f"{len(text)} characters; at most {most}", f"共 {len(text)} 个字符，最多 {most} 个"),
            Words("Shorten it.", "请缩短。"),
        )
    is_long = of.kind is Kind.LONG
    if any(not (sign.isprintable() or (is_long and sign in "\n\t")) for sign in text):
        return _wrong(
            of,
            raw,
            Words("it holds signs that cannot be printed", "含有不可打印的字符"),
            Words("Write it as plain text.", "请改为普通文字。"),
        )
    return Cell(value=text)


def _code(of: Field, raw: object, _: Surroundings) -> Cell:
    text = _as_text(raw)
    if not CODE.match(text):
        return _wrong(
            of,
            raw,
            Words(
                "a code has 1 to 64 letters, digits or . - _ / and begins with a letter or digit",
                "编号由 1–64 个字母、汉字、数字或 . - _ / 组成，以字母、汉字或数字开头",
            ),
            Words("Write e.g. TK-101.", "例如 TK-101。"),
        )
    return Cell(value=text)


def _number(of: Field, raw: object, _: Surroundings) -> Cell:
    if isinstance(raw, bool):
        return _no_number(of, raw)
    if isinstance(raw, str):
        found = WITH_UNIT.match(raw)
        if found and found[2].strip() == of.eu:
            raw = found[1]
        elif found and _float(found[1]) is not None and of.eu:
            return _wrong(
                of,
                raw,
                Words(
                    f'it is in "{found[2].strip()}"; this field is in {of.eu}',
                    f"单位为“{found[2].strip()}”，该项单位应为 {of.eu}",
                ),
                Words(f"Convert it to {of.eu} and write the number alone.", f"请换算为 {of.eu}，只填数字。"),
            )
    number = float(raw) if isinstance(raw, int | float) else _float(str(raw))
    if number is None or not math.isfinite(number):
        return _no_number(of, raw)
    if of.kind is Kind.WHOLE and number != int(number):
        return _wrong(
            of, raw, Words("it is a whole number", "应为整数"), Words("Write it without a fraction.", "请填整数。")
        )
    if not of.least <= number <= of.most:
        unit = f" {of.eu}" if of.eu else ""
        low = f"{of.least:g}" if math.isfinite(of.least) else "…"
        high = f"{of.most:g}" if math.isfinite(of.most) else "…"
        return _wrong(
            of,
            raw,
            Words(f"it lies outside {low} … {high}{unit}", f"超出 {low} … {high}{unit} 的范围"),
            Words("Check the number and its unit.", "请核对数值和单位。"),
        )
    return Cell(value=int(number) if of.kind is Kind.WHOLE else number)


def _no_number(of: Field, raw: object) -> Cell:
    unit = of.eu or "–"
    return _wrong(
        of,
        raw,
        Words("it is no number", "不是数字"),
        Words(
            f"Write a number in {unit}, with a point." if of.eu else "Write a number.",
            f"请填数字（单位 {unit}）。" if of.eu else "请填数字。",
        ),
    )


def _float(text: str) -> float | None:
    try:
        return float(text.replace(",", "") if re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", text) else text)
    except ValueError:
        return None


def _date(of: Field, raw: object, around: Surroundings) -> Cell:
    found: date | None = None
    if isinstance(raw, datetime):
        found = raw.date()
    elif isinstance(raw, date):
        found = raw
    elif isinstance(raw, str):
        parts = re.fullmatch(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?", raw)
        if parts:
            try:
                found = date(int(parts[1]), int(parts[2]), int(parts[3]))
            except ValueError:
                found = None
    if found is None or not 1900 <= found.year <= 2200:  # noqa: PLR2004 - what lies outside is a slip of the hand
        return _wrong(of, raw, Words("it is no day", "不是日期"), Words("Write e.g. 2026-03-31.", "例如 2026-03-31。"))
    if of.is_past and found > around.today:
        return _wrong(
            of,
            raw,
            Words(f"it lies after today, {around.today}", f"晚于今天（{around.today}）"),
            Words("A thing that has happened has a day that has been.", "已发生的事项，日期不能晚于今天。"),
        )
    return Cell(value=found.isoformat())


def _moment(of: Field, raw: object, around: Surroundings) -> Cell:
    found: datetime | None = raw.replace(tzinfo=None) if isinstance(raw, datetime) else None
    if isinstance(raw, str):
        parts = re.fullmatch(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?[ T]+(\d{1,2})[:：时](\d{2})(?:分|:00)?", raw)
        if parts:
            try:
                found = datetime(*(int(part) for part in parts.groups()))  # type: ignore[arg-type]  # noqa: DTZ001 - the site's
            except ValueError:
                found = None
    if found is None or not 1900 <= found.year <= 2200:  # noqa: PLR2004 - what lies outside is a slip of the hand
        rule = Words("it is no day and time", "不是日期时间")
        return _wrong(of, raw, rule, Words("Write e.g. 2026-03-31 08:30.", "例如 2026-03-31 08:30。"))
    text = found.isoformat(timespec="minutes")
    if of.is_past and around.now and text > around.now:
        shown = around.now.replace("T", " ")
        rule = Words(f"it lies after now, {shown}", f"晚于现在（{shown}）")
        remedy = Words("A thing that has happened has a time that has been.", "已发生的事项，时间不能晚于现在。")
        return _wrong(of, raw, rule, remedy)
    return Cell(value=text)


def _flag(of: Field, raw: object, _: Surroundings) -> Cell:
    word = str(raw).strip().lower()
    if raw is True or word in YES:
        return Cell(value=True)
    if raw is False or word in NO:
        return Cell(value=False)
    return _wrong(
        of, raw, Words("it is neither yes nor no", "应为“是”或“否”"), Words("Write yes or no.", "请填“是”或“否”。")
    )


def _choice(of: Field, raw: object, _: Surroundings) -> Cell:
    word = _as_text(raw)
    folded = word.casefold()
    for choice in of.choices:
        if folded in {choice.code.casefold(), choice.title.en.casefold(), choice.title.zh.casefold()}:
            return Cell(value=choice.code)
    shown = of.choices[:12]
    more = " …" if len(of.choices) > len(shown) else ""
    return _wrong(
        of,
        raw,
        Words("it is none of the words of this field", "不是该项允许的取值"),
        Words(
            f"One of: {', '.join(choice.title.en for choice in shown)}{more}.",
            f"可选：{'、'.join(choice.title.zh for choice in shown)}{more}。",
        ),
    )


def _phone(of: Field, raw: object, _: Surroundings) -> Cell:
    text = _as_text(raw)
    if not PHONE.match(text):
        return _wrong(
            of,
            raw,
            Words("it is no telephone number", "不是电话号码"),
            Words("Write digits, e.g. 0512-6000 0000.", "请填数字，例如 0512-6000 0000。"),
        )
    return Cell(value=text)


def _cas(of: Field, raw: object, _: Surroundings) -> Cell:
    text = _as_text(raw)
    found = FORM.match(text)
    if found is None:
        return _wrong(
            of,
            raw,
            Words("it has not the form of a CAS number", "不符合 CAS 号格式"),
            Words("Write e.g. 7664-41-7.", "例如 7664-41-7。"),
        )
    if not is_cas(text):
        due = check_digit(found[1], found[2])
        return _wrong(
            of,
            raw,
            Words(f"its check digit is {found[3]} and would be {due}", f"校验位为 {found[3]}，应为 {due}"),
            Words("A digit is wrong or two stand the wrong way round; look it up.", "有数字写错或颠倒，请核对。"),
        )
    return Cell(value=text)


def _record(of: Field, raw: object, around: Surroundings) -> Cell:
    code = _as_text(raw)
    known = around.codes.get(of.ledger, frozenset())
    if code not in known:
        return _wrong(
            of,
            raw,
            Words("no such record is in its ledger", "对应台账中没有该记录"),
            Words("Make that record first, or correct the code.", "请先建立该记录，或更正编号。"),
        )
    return Cell(value=code)


def codes_in(raw: object) -> list[str]:
    """Part what a person wrote into codes, each once, in its order."""
    return list(dict.fromkeys(code for part in PARTED.split(_as_text(raw)) if (code := part.strip())))


def _records(of: Field, raw: object, around: Surroundings) -> Cell:
    codes = codes_in(raw)
    known = around.codes.get(of.ledger, frozenset())
    unknown = [code for code in codes if code not in known]
    if unknown or not codes:
        return _wrong(
            of,
            "; ".join(unknown) or raw,
            Words("no such record is in its ledger", "对应台账中没有该记录"),
            Words(
                "Make that record first, or correct the code; part several by semicolons.",
                "请先建立该记录，或更正编号；多个编号以分号分隔。",
            ),
        )
    return Cell(value="; ".join(codes))


def _unit(of: Field, raw: object, around: Surroundings) -> Cell:
    code = _as_text(raw)
    if code not in around.units:
        return _wrong(
            of,
            raw,
            Words("the site has no such hazard unit", "本站点没有该危险源单元"),
            Words(
                "Write the id of a unit of the site's configuration, or leave it empty.",
                "请填站点配置中的单元编号，或留空。",
            ),
        )
    return Cell(value=code)


def _tag(of: Field, raw: object, around: Surroundings) -> Cell:
    name = _as_text(raw)
    if name not in around.tags:
        return _wrong(
            of,
            raw,
            Words("the site has no such tag", "本站点没有该位号"),
            Words("Write the name of a tag, or leave it empty.", "请填位号名称，或留空。"),
        )
    if of.eu and around.tags[name] != of.eu:
        return _wrong(
            of,
            raw,
            Words(
                f'the tag is in "{around.tags[name]}"; this field needs one in {of.eu}',
                f"该位号单位为“{around.tags[name]}”，该项需要单位为 {of.eu} 的位号",
            ),
            Words(f"Choose a tag in {of.eu}, e.g. a derived one.", f"请选用单位为 {of.eu} 的位号（例如派生位号）。"),
        )
    return Cell(value=name)


def _alarm(of: Field, raw: object, around: Surroundings) -> Cell:
    name = _as_text(raw)
    if name not in around.alarms:
        return _wrong(
            of,
            raw,
            Words("no such alarm rang here", "本站点没有该报警"),
            Words("Take the id from the alarm's page, or leave it empty.", "请从报警详情复制编号，或留空。"),
        )
    return Cell(value=name)


_NO_LINK: Final = {
    "form": (
        Words("it is no address", "不是有效的地址"),
        Words("Write e.g. https://files.plant.example/licence.pdf.", "例如 https://files.plant.example/licence.pdf。"),
    ),
    "scheme": (
        Words(f"it begins with none of {', '.join(SCHEMES)}", f"应以 {'、'.join(SCHEMES)} 开头"),
        Words(
            "Put the file where a browser finds it, and write its address.", "请将文件放到可访问的位置并填写其地址。"
        ),
    ),
    "secret": (
        Words("it carries a name or a password, which everybody would read", "地址中含用户名或口令，所有人都能看到"),
        Words("Leave them out; the camera or the server asks for them.", "请删去，由摄像机或服务器要求登录。"),
    ),
    "long": (
        Words(f"more than {LINK_MAX} characters", f"超过 {LINK_MAX} 个字符"),
        Words("Write a shorter address.", "请填写更短的地址。"),
    ),
}


def _link(of: Field, raw: object, _: Surroundings) -> Cell:
    text = _as_text(raw)
    fault = fault_of(text)
    return _wrong(of, raw, *_NO_LINK[fault]) if fault else Cell(value=text)


_NO_OUTLINE: Final = {
    "form": (
        Words("a corner is longitude and latitude in degrees, not “{}”", "角点应为“经度 纬度”（度），“{}”不是"),
        Words("Write e.g. 120.1 30.2; 120.2 30.2; 120.2 30.3.", "例如 120.1 30.2; 120.2 30.2; 120.2 30.3。"),
    ),
    "place": (
        Words("“{}” lies nowhere on the earth", "“{}”不是有效的经纬度"),
        Words("Longitude comes first, latitude second.", "经度在前，纬度在后。"),
    ),
    "few": (
        Words("it encloses nothing: an outline has three corners at least", "边界至少有三个角点，并围成一个面"),
        Words("Add the corners that are missing.", "请补全角点。"),
    ),
    "many": (
        Words(f"{{}} corners; at most {CORNERS_MAX}", f"共 {{}} 个角点，最多 {CORNERS_MAX} 个"),
        Words("Simplify it.", "请简化边界。"),
    ),
    "wide": (
        Words(f"it is {{}} wide; at most {SPAN_MAX_DEG:g}°", f"边界跨度 {{}}，最多 {SPAN_MAX_DEG:g}°"),
        Words("A corner has a wrong digit.", "请核对角点数字。"),
    ),
    "crossing": (
        Words("its sides cross, near {}", "边界线自相交，位于 {} 附近"),
        Words("Give the corners in the order in which one walks around.", "请按绕行顺序填写角点。"),
    ),
}


def _outline(of: Field, raw: object, _: Surroundings) -> Cell:
    text = _as_text(raw)
    if len(text) > LONG_MAX:
        return _text(replace(of, kind=Kind.LONG), raw, _)
    try:
        return Cell(value=write_outline(read_outline(text)))
    except NoOutline as error:
        rule, remedy = _NO_OUTLINE[error.what]
        shown = show(error.shown)
        return _wrong(of, raw, Words(rule.en.format(shown), rule.zh.format(shown)), remedy)


_NO_POINT: Final = {
    "form": (
        Words("a position is longitude and latitude in degrees, not “{}”", "位置应为“经度 纬度”（度），“{}”不是"),
        Words("Write e.g. 120.123456 30.123456.", "例如 120.123456 30.123456。"),
    ),
    "place": _NO_OUTLINE["place"],
}


def _point(of: Field, raw: object, _: Surroundings) -> Cell:
    try:
        return Cell(value=write_outline([read_place(_as_text(raw))]))
    except NoOutline as error:
        rule, remedy = _NO_POINT[error.what]
        shown = show(error.shown)
        return _wrong(of, raw, Words(rule.en.format(shown), rule.zh.format(shown)), remedy)


def _post(of: Field, raw: object, around: Surroundings) -> Cell:
    said = _as_text(raw)
    for name, titles in around.posts.items():
        if said == name or said in titles:
            return Cell(value=name)
    known = ", ".join(around.posts) or "–"
    return _wrong(
        of,
        raw,
        Words("the site has no such post", "本站点没有该岗位"),
        Words(f"Posts are declared in the site's configuration: {known}.", f"岗位在站点配置中声明：{known}。"),
    )


def _steps(of: Field, raw: object, around: Surroundings) -> Cell:
    text = str(raw).strip()
    if len(text) > STEPS_TEXT_MAX:
        rule = Words(
            f"{len(text)} characters; at most {STEPS_TEXT_MAX}", f"共 {len(text)} 个字符，最多 {STEPS_TEXT_MAX} 个"
        )
        return _wrong(of, raw, rule, Words("Shorten it, or part the plan.", "请缩短或拆分预案。"))
    if any(not (sign.isprintable() or sign in "\r\n\t") for sign in text):
        rule = Words("it holds signs that cannot be printed", "含有不可打印的字符")
        return _wrong(of, raw, rule, Words("Write it as plain text.", "请改为普通文字。"))
    try:
        return Cell(value=write_steps(read_steps(text, around.posts, around.people)))
    except NoChecklist as error:
        more = len(error.faults) - FAULTS_SHOWN
        first = error.faults[:FAULTS_SHOWN]
        en = "; ".join(f"line {one.line}: {one.en}" if one.line else one.en for one in first)
        zh = "；".join(f"第 {one.line} 行：{one.zh}" if one.line else one.zh for one in first)
        rule = Words(en + (f"; and {more} more" if more > 0 else ""), zh + (f"；另有 {more} 处" if more > 0 else ""))
        remedy = Words(
            "Write each step as: id | what | owner | minutes | after | answers.",
            "每步请写为：编号 | 内容 | 负责 | 时限（分钟） | 前置 | 选项。",
        )
        return _wrong(of, raw, rule, remedy)


def _as_text(raw: object) -> str:
    if isinstance(raw, float) and raw.is_integer():
        raw = int(raw)  # A spreadsheet gives 101 as 101.0.
    if isinstance(raw, datetime):
        raw = raw.date()
    return str(raw).strip()


_READERS = {
    Kind.CODE: _code,
    Kind.TEXT: _text,
    Kind.LONG: _text,
    Kind.NUMBER: _number,
    Kind.WHOLE: _number,
    Kind.DATE: _date,
    Kind.MOMENT: _moment,
    Kind.FLAG: _flag,
    Kind.CHOICE: _choice,
    Kind.PHONE: _phone,
    Kind.CAS: _cas,
    Kind.RECORD: _record,
    Kind.RECORDS: _records,
    Kind.UNIT: _unit,
    Kind.TAG: _tag,
    Kind.ALARM: _alarm,
    Kind.LINK: _link,
    Kind.OUTLINE: _outline,
    Kind.POINT: _point,
    Kind.POST: _post,
    Kind.STEPS: _steps,
}
