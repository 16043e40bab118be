"""Guess: what the words of some registers may mean, the likeliest first. Pure.

Flow: probe -> words -> [guess] -> a person who knows what the instrument shows
Why: manuals name word orders differently and count registers from 0 or from 1; a known value tells what no label does.
    Numbers are decoded by the decoder of the road itself, so that a guess is exactly what a tag would say.
Never: decides anything. All weights here are ours: they put a list in order and are no probabilities.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.decode.registers import Placement, RegisterDecoder
from edge.decode.wordtype import ORDERS, WORDS
from edge.model.quality import is_bad

#: A typed value stands for values so near to it, as a part of it: an instrument moves while one looks.
NEAR: Final = 0.02
#: Powers of ten by which integers are often sent, and how much less is thought of a guess that needs one.
SCALES: Final = ((1.0, 1.0), (0.1, 0.9), (0.01, 0.87), (0.001, 0.84), (10.0, 0.75), (100.0, 0.7))
#: How much less is thought of the register beside the one that was asked for.
BESIDE: Final = 0.97
TEXT_LEAST: Final = 4  # Characters; fewer come by chance.
HAN_LEAST: Final = 3
BEST_MAX: Final = 24

_FLOATS: Final = ("float16", "float32", "float64")
_ONE_WORD_ORDERS: Final = ("ABCD", "BADC")
_PRINTED = re.compile(rb"[\x20-\x7e]{%d,}" % TEXT_LEAST)
_HAN = re.compile(rb"(?:[\xb0-\xf7][\xa1-\xfe]){%d,}" % HAN_LEAST)  # GB 2312 levels 1 and 2.


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the instrument shows: a range of values in engineering units, or a text."""

    lo: float = math.nan
    hi: float = math.nan
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """One way to read some registers.

    Attributes:
        register: The first one, from 0 as on the wire.
        types: Types that give this same value, as a tag table names them; the plainest first.
        order: Byte order, as a tag table names it.
        scale: Factor that makes the value what was expected; 1 for none.
        value: After the factor; NaN for a text.
        text: What a string says; empty for a number.
        score: 0 to 1; higher stands first.
    """

    register: int
    words: int
    types: tuple[str, ...]
    order: str
    scale: float = 1.0
    value: float = math.nan
    text: str = ""
    score: float = 0.0


def expected(written: str) -> Expected | None:
    """Read ``4.2`` (within 2 %), ``0..5`` or a text; None for nothing.

    Raises:
        ValueError: A sentence: a range that is none.
    """
    text = written.strip()
    if not text:
        return None
    if ".." in text and text[0] in "+-.0123456789":
        try:
            lo, hi = (float(end) for end in text.split(".."))
        except ValueError:
            raise ValueError(f"{text!r} is no range; write e.g. 0..5.") from None
        if not (lo <= hi and math.isfinite(hi - lo)):
            raise ValueError(f"{text!r} is no range: its first value must not be above its second.")
        return Expected(lo=lo, hi=hi)
    try:
        value = float(text)
    except ValueError:
        return Expected(text=text)
    if not math.isfinite(value):
        raise ValueError(f"{text!r} is no value that an instrument shows.")
    margin = abs(value) * NEAR
    return Expected(lo=value - margin, hi=value + margin)


def guesses(
    words: NDArray[np.uint16], known: NDArray[np.bool_], first: int, asked: range, wanted: Expected | None = None
) -> list[Guess]:
    """Give the plausible ways to read the registers, the likeliest first, at most ``BEST_MAX``.

    Args:
        words: uint16 (n,), of the registers from ``first`` on.
        known: bool (n,), false where a register was not read; it takes part in no guess.
        first: Register of ``words[0]``.
        asked: Registers that were asked for; a value may begin one before and one behind them.
        wanted: What the instrument shows, where somebody knows.
    """
    starts = [at - first for at in range(asked.start - 1, asked.stop + 1) if 0 <= at - first < len(words)]
    found = [*_numbers(words, known, first, starts), *_texts(words, known, first)]
    scored = (_judged(guess, asked, wanted) for guess in found)
    return sorted((one for one in scored if one.score > 0), key=lambda one: (-one.score, one.register, one.words))[
        :BEST_MAX
    ]


def _numbers(words: NDArray[np.uint16], known: NDArray[np.bool_], first: int, starts: Sequence[int]) -> list[Guess]:
    placements = [
        Placement(start=start, answer=0, type=kind, order=order)
        for start in starts
        for kind, wide in WORDS.items()
        if kind != "bit" and known[start : start + wide].sum() == wide
        for order in (ORDERS if wide > 1 else _ONE_WORD_ORDERS)
    ]
    if not placements:
        return []
    values, quality = RegisterDecoder(placements).decode(words, np.zeros(1, dtype=np.uint8))
    alike: dict[tuple[int, int, str, float], list[str]] = {}
    seen: set[tuple[int, str, float]] = set()  # What reads the same in two orders is told in the plainest.
    for placement, value, is_wrong in zip(placements, values.tolist(), is_bad(quality).tolist(), strict=True):
        if not is_wrong and (one := (placement.start, placement.type, value)) not in seen:
            seen.add(one)
            key = (first + placement.start, placement.words, placement.order, value)
            alike.setdefault(key, []).append(placement.type)
    return [
        Guess(register=register, words=wide, types=tuple(sorted(kinds, key=_plainest)), order=order, value=value)
        for (register, wide, order, value), kinds in alike.items()
    ]


def _plainest(kind: str) -> tuple[bool, bool, str]:
    """Order types that give the same value: unsigned before signed before packed decimal."""
    return kind.startswith("bcd"), not kind.startswith("u"), kind


def _texts(words: NDArray[np.uint16], known: NDArray[np.bool_], first: int) -> list[Guess]:
    """Find what can be read as text, in either order of bytes; what was not read ends it."""
    found: list[Guess] = []
    for order, kind in (("ABCD", ">u2"), ("BADC", "<u2")):
        said = np.where(known, words, 0).astype(kind).tobytes()
        for pattern, form in ((_PRINTED, "ascii"), (_HAN, "gb2312")):
            for run in pattern.finditer(said):
                try:
                    text = run[0].decode(form).strip()
                except UnicodeDecodeError:  # A code point that GB 2312 leaves free.
                    continue
                at = run.start() // 2
                if form == "gb2312" and run.start() % 2:
                    continue  # Chinese text in registers begins with a register.
                if len(text) >= (HAN_LEAST if form == "gb2312" else TEXT_LEAST):
                    wide = (run.end() + 1) // 2 - at
                    found.append(Guess(register=first + at, words=wide, types=("string",), order=order, text=text))
    return found


def _judged(guess: Guess, asked: range, wanted: Expected | None) -> Guess:
    """Give a guess its score, and the scale that makes it fit."""
    beside = 1.0 if guess.register in asked else BESIDE
    if guess.text:
        if wanted is None:
            return _with(guess, 0.6 * beside)
        return _with(guess, beside if wanted.text and wanted.text.lower() in guess.text.lower() else 0.0)
    prior = _prior(guess)
    if wanted is None:
        return _with(guess, prior * beside)
    if wanted.text:
        return guess
    scales = SCALES[:1] if guess.types[0] in _FLOATS or guess.value == 0 else SCALES
    best, scale = max((_match(guess.value * scale, wanted) * less, scale) for scale, less in scales)
    score = best * (0.25 + 0.75 * prior) * beside
    return _with(guess, score, scale)


def _with(guess: Guess, score: float, scale: float = 1.0) -> Guess:
    return Guess(
        register=guess.register,
        words=guess.words,
        types=guess.types,
        order=guess.order,
        scale=scale,
        # 42 x 0.1 is 4.2 for a person.
        value=float(f"{guess.value * scale:.15g}") if scale != 1.0 else guess.value,
        text=guess.text,
        score=round(score, 4),
    )


def _match(value: float, wanted: Expected) -> float:
    """Say how well a value fits: 1 inside, at most 1/2 outside, less with distance, 0 beyond a span's width."""
    if wanted.lo <= value <= wanted.hi:
        return 1.0
    gap = wanted.lo - value if value < wanted.lo else value - wanted.hi
    width = max(wanted.hi - wanted.lo, 0.1 * max(abs(wanted.lo), abs(wanted.hi)), 1e-12)
    return 0.5 * max(0.0, 1.0 - gap / width)


def _prior(guess: Guess) -> float:
    """Say how usual such a value is in a plant, where nothing is known of it."""
    kind, size = guess.types[0], abs(guess.value)
    if guess.value == 0:
        return 0.2
    rare = 0.0 if guess.order in ("ABCD", "CDAB") else 0.05
    if kind in _FLOATS:
        # By chance one float32 in seven and one float64 in fifty has such an exponent; nearly every float16 has.
        usual = {"float16": 0.3, "float32": 0.85, "float64": 0.95}[kind]
        return (usual if 1e-4 <= size < 1e7 else 0.05) - rare * (size >= 1e-4)  # noqa: PLR2004 - see the module head
    if kind.startswith("bcd"):
        return 0.3
    if guess.words == 1:
        usual = 0.5 if guess.order == "ABCD" else 0.2
        return usual if kind.startswith("u") or size <= 1000 else usual / 2  # noqa: PLR2004
    limit = 1e7 if guess.words == 2 else 1e12  # noqa: PLR2004
    return (0.45 if size < limit else 0.1) - rare
