"""Lexer: the text of an expression as tokens with places.

Flow: text -> [tokenize] -> tokens and faults -> parser
Why: a sign from another language (``&&``, ``≥``, a full-width bracket, ``且``) is told with its remedy and read as
what was meant, so that the same reading finds the other mistakes too.
"""

import math
import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

from alerting.core.expression.fault import Fault, quote

TEXT_LENGTH_MAX: Final = 4096  # 256 nodes with tag names of a dozen letters fit twice.
KEYWORDS: Final = ("and", "or", "not", "for", "true", "false")


class Shape(Enum):
    """Kind of a token."""

    NUMBER = "number"
    UNIT = "unit"
    NAME = "name"
    QUOTED = "quoted name"
    TEXT = "text"
    WORD = "keyword"
    SIGN = "sign"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """One word, number or sign; ``text`` without its quotes."""

    shape: Shape
    text: str
    start: int
    end: int


#: What people write instead of what is meant.
MEANT: Final = {
    "=": "==", "===": "==", "＝": "==", "<>": "!=", "≠": "!=", "!==": "!=", "≥": ">=", "≧": ">=",
    "=>": ">=", "≤": "<=", "≦": "<=", "=<": "<=", "＞": ">", "＜": "<", "（": "(", "）": ")", "，": ",", "、": ",",
    "＋": "+", "−": "-", "–": "-", "—": "-", "－": "-", "×": "*", "·": "*", "＊": "*", "÷": "/", "／": "/",
    "&&": "and", "&": "and", "||": "or", "|": "or", "!": "not", "！": "not",
    "且": "and", "并且": "and", "和": "and", "与": "and", "或": "or", "或者": "or", "非": "not", "不": "not",
    "持续": "for",
}  # fmt: skip

_NUMBER = r"(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_NAME = r"[A-Za-z_][A-Za-z0-9_]*(?:[.:-][A-Za-z0-9_]+)*"
_UNIT = re.compile(r"[ \t]*(?:`([^`\n]*)`|(%[A-Za-z]*|‰|°[A-Za-z]?|[A-Za-zµμΩ]+[0-9²³]?(?:/[A-Za-zµμ]+[0-9²³]?)*))")
_TOKEN = re.compile(
    rf"(?P<space>\s+)|(?P<number>{_NUMBER})|(?P<foreign>(?=[\w.:-]*[^\x00-\x7f\W])[^\W\d][\w.:-]*)|(?P<name>{_NAME})"
    r"|`(?P<quoted>[^`\n]+)`|\"(?P<double>[^\"\n]*)\"|'(?P<single>[^'\n]*)'"
    r"|(?P<wrong>===|!==|=>|=<|<>|&&|\|\||[=≠≥≧≤≦＝＞＜（），、＋−–—－×·＊÷／&|！](?!=)|!(?!=))"
    r"|(?P<sign>>=|<=|==|!=|[-+*/()<>,])"
)


def tokenize(text: str) -> tuple[list[Token], list[Fault]]:
    """Split an expression into tokens, the last one END; every sign that is not known is a fault."""
    if len(text) > TEXT_LENGTH_MAX:
        return [Token(Shape.END, "", len(text), len(text))], [
            Fault(
                1,
                f"the expression has {len(text)} characters; {TEXT_LENGTH_MAX} are the most.",
                "Split it into several rules.",
            )
        ]
    tokens: list[Token] = []
    faults: list[Fault] = []
    place = 0
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            faults.append(_unknown(text, place))
            place += 1
            continue
        start, place = place, found.end()
        if found.lastgroup == "space":
            continue
        if found.lastgroup == "number":
            tokens.append(Token(Shape.NUMBER, found.group(), start, place))
            faults += _wrong_number(text, found.group(), start, place)
            place = _unit(text, place, tokens)
            continue
        token, fault = _token(str(found.lastgroup), found.group(str(found.lastgroup)), start, place)
        tokens.append(token)
        if fault is not None:
            faults.append(fault)
    tokens.append(Token(Shape.END, "", len(text), len(text)))
    return tokens, faults


def _token(group: str, word: str, start: int, end: int) -> tuple[Token, Fault | None]:
    """Make a token of a match, as what it means, and the fault where it is written otherwise."""
    column = start + 1
    match group:
        case "quoted":
            return Token(Shape.QUOTED, word, start, end), None
        case "double" | "single":
            return Token(Shape.TEXT, word, start, end), None
        case "sign":
            return Token(Shape.SIGN, word, start, end), None
        case "name" if word in KEYWORDS:
            return Token(Shape.WORD, word, start, end), None
        case "name" if word.lower() in KEYWORDS:
            right = word.lower()
            fault = Fault(column, f"{quote(word)} is a keyword in capitals.", f"Write {right}.")
            return Token(Shape.WORD, right, start, end), fault
        case "name":
            return Token(Shape.NAME, word, start, end), None
        case _ if word in MEANT:
            right = MEANT[word]
            shape = Shape.WORD if right in KEYWORDS else Shape.SIGN
            return Token(shape, right, start, end), Fault(
                column, f"{quote(word)} is not used here.", f"Write {quote(right)}."
            )
        case _:
            fault = Fault(
                column,
                f"the name {quote(word)} has letters other than A to Z.",
                f"Put it between backticks: `{word[:60]}`.",
            )
            return Token(Shape.QUOTED, word, start, end), fault


def _unit(text: str, place: int, tokens: list[Token]) -> int:
    """Read the unit after a number, if there is one; give the place after it."""
    found = _UNIT.match(text, place)
    if found is None:
        return place
    group = 1 if found.group(1) is not None else 2
    unit = found.group(group)
    if group == 2 and unit.lower() in KEYWORDS:  # noqa: PLR2004 - the plain form
        return place
    start = found.start(group) - (1 if group == 1 else 0)
    tokens.append(Token(Shape.UNIT, unit, start, found.end()))
    return found.end()


def _wrong_number(text: str, word: str, start: int, end: int) -> list[Fault]:
    """Tell what is wrong with a number: too large or too small for float64, or the begin of a name."""
    value = float(word)
    mantissa = re.split("[eE]", word, maxsplit=1)[0]
    if not math.isfinite(value) or (value == 0 and mantissa.strip("0.")):
        return [Fault(start + 1, f"the number {quote(word)} does not fit.", "Write one between 1e-300 and 1e300.")]
    if text[end : end + 1] in (".", "_"):
        return [
            Fault(
                start + 1,
                f"{quote(text[start : end + 1])} is no number.",
                "Put a name that begins with a digit between backticks.",
            )
        ]
    return []


def _unknown(text: str, place: int) -> Fault:
    sign = text[place]
    match sign:
        case "`":
            return Fault(place + 1, "a backtick has no partner, or encloses nothing.", "Close the name: `name`.")
        case '"' | "'":
            return Fault(place + 1, "a quotation mark has no partner.", 'Close the word: "BAD".')
        case "%":
            return Fault(place + 1, "% stands only after a number, as its unit.", "Remove it.")
        case "^":
            return Fault(place + 1, "there is no power.", "Multiply: x * x.")
        case "{" | "}":
            return Fault(
                place + 1, f"{quote(sign)} is not used here.", "Placeholders work in templates only: remove it."
            )
        case _:
            return Fault(place + 1, f"the sign {quote(sign)} is not known.", "Remove it.")
