"""Modbus registers to values: one gather for all tags of a scan class.

Flow: answers, concatenated -> [decode] -> values, quality -> Scan
Why: decoding value by value costs 30 microseconds a request; one precomputed gather and a handful of array
    views cost two. The decoder is compiled once for a read plan and only executed in the cycle.
Never: raises for what a device sent.

Types and byte orders: ``edge.decode.wordtype``.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.decode.current import judge_current
from edge.decode.judge import judge
from edge.decode.wordtype import (
    DTYPE,
    MASKED,
    ORDERS,
    STRING,
    STRING_BYTES_MAX,
    TYPES,
    WORDS,
    raw_bits,
    words_of,
)
from edge.model import Quality, Reason
from edge.model.quality import encode

__all__ = ["ORDERS", "WORDS", "Placement", "RegisterDecoder"]

BAD_SENTINEL = np.uint8(encode(Quality.BAD, Reason.SENTINEL))
BAD_MALFORMED = np.uint8(encode(Quality.BAD, Reason.MALFORMED))
BAD_UNMAPPED = np.uint8(encode(Quality.BAD, Reason.UNMAPPED))
PADDING = b"\0 \xff"  # What devices fill the rest of a string with.
_NIBBLE, _DIGIT_MAX = 4, 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where one tag's raw value lies among the answers, and how to read it.

    Attributes:
        start: Index of its first word in the concatenated answers.
        answer: Index of the answer that it came in.
        type: One of ``TYPES``.
        order: One of ``ORDERS``.
        bit: For type bit: 0 is the least significant bit of the register.
        mask, shift: For an unsigned type: raw value = (raw & mask) >> shift; mask 0 takes the whole value.
        length: Bytes of a string.
        texts: What each text of a string means as a number.
        scale, offset: engineering value = raw x scale + offset.
        sentinels: Raw fill values that mean "no value", judged before mask and scale on the raw bits: 65535 and -1
            are the same 16-bit value, so either finds 0xFFFF. A string such as ``"0x7FC00001"`` gives the bits
            themselves; a number for a float type is compared as that float.
        range_lo, range_hi: Instrument range in engineering units; NaN for none.
        has_loop: The range is that of a 4-20 mA loop and judged as its current, see ``edge.decode.current``.
    """

    start: int
    answer: int
    type: str = "uint16"
    order: str = "ABCD"
    bit: int = 0
    mask: int = 0
    shift: int = 0
    length: int = 0
    texts: tuple[tuple[str, float], ...] = ()
    scale: float = 1.0
    offset: float = 0.0
    sentinels: tuple[int | float | str, ...] = ()
    range_lo: float = math.nan
    range_hi: float = math.nan
    has_loop: bool = False

    @property
    def words(self) -> int:
        """Registers that the value takes."""
        return words_of(self.type, self.length)

    @property
    def cut(self) -> tuple[int, int]:
        """Mask and shift; a bit is one too, and 0 is the whole value."""
        return (1 << self.bit, self.bit) if self.type == "bit" else (self.mask, self.shift)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """Placements of one type and one byte order; ``words[first:last]`` after the gather.

    Attributes:
        dtype: Little-endian type that views the gathered words, least significant word first.
        is_swapped: The two bytes of each word come in the other order.
        tags: Their places among the decoder's tags, int64 (g,).
        cuts: Masks and shifts of values that are a part of their word, uint64 (g,), else None.
        is_bcd: Four bits a decimal digit.
        sentinel_at, sentinel_raw: Members that have fill values, and the raw bits of these.
    """

    dtype: str
    first: int
    last: int
    is_swapped: bool
    tags: NDArray[np.int64]
    cuts: tuple[NDArray[np.uint64], NDArray[np.uint64]] | None
    is_bcd: bool
    sentinel_at: NDArray[np.int64]
    sentinel_raw: NDArray[np.uint64]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Text:
    """One string: its words after the gather, most significant first, and what each text means."""

    first: int
    last: int
    is_swapped: bool
    length: int
    tag: int
    numbers: dict[bytes, float]


class RegisterDecoder:
    """Decodes all tags of one scan class at once."""

    def __init__(self, placements: Sequence[Placement]) -> None:
        for placement in placements:
            _check(placement)
        self._count = len(placements)
        self._answer = np.array([p.answer for p in placements], dtype=np.int64)
        self._scale = np.array([p.scale for p in placements], dtype=np.float64)
        self._offset = np.array([p.offset for p in placements], dtype=np.float64)
        self._range_lo = np.array([math.nan if p.has_loop else p.range_lo for p in placements], dtype=np.float64)
        self._range_hi = np.array([math.nan if p.has_loop else p.range_hi for p in placements], dtype=np.float64)
        self._loop_at = np.array([at for at, p in enumerate(placements) if p.has_loop], dtype=np.int64)
        self._loop_lo = np.array([p.range_lo for p in placements if p.has_loop], dtype=np.float64)
        self._loop_hi = np.array([p.range_hi for p in placements if p.has_loop], dtype=np.float64)
        gather: list[int] = []
        self._groups = _compile(placements, gather)
        self._texts = _compile_texts(placements, gather)
        self._gather = np.array(gather, dtype=np.int64)

    def decode(
        self, words: NDArray[np.uint16], answered: NDArray[np.uint8]
    ) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        """Give values in engineering units and quality, in the order of the placements.

        Integers of 64 bits beyond 2**53 are rounded to the nearest float64; fill values are found before that.

        Args:
            words: The answers' registers one after the other, uint16; a coil or discrete input is a word of 0 or 1.
            answered: Quality byte of each answer, uint8: GOOD, or BAD with the reason why it did not come. The
                words of a missing answer are not looked at.

        Returns:
            float64 (n,), NaN where BAD, and uint8 (n,).
        """
        values = np.empty(self._count, dtype=np.float64)
        quality = answered[self._answer].astype(np.uint8)
        gathered = words[self._gather].astype("<u2", copy=False)
        # Scaling may overflow and a signalling NaN may complain: both become BAD below, neither is an error.
        with np.errstate(all="ignore"):
            for group in self._groups:
                _read_group(group, gathered, values, quality)
            for text in self._texts:
                _read_text(text, gathered, values, quality)
            values *= self._scale
            values += self._offset
            if len(self._loop_at):
                judge_current(values, quality, self._loop_at, self._loop_lo, self._loop_hi)
        judge(values, quality, self._range_lo, self._range_hi)
        return values, quality


def _read_group(
    group: _Group, gathered: NDArray[np.uint16], values: NDArray[np.float64], quality: NDArray[np.uint8]
) -> None:
    """Read all values of one type and byte order."""
    own = gathered[group.first : group.last]
    if group.is_swapped:
        own = own.byteswap()
    raw = own.view(group.dtype)
    if group.cuts is not None:
        masks, shifts = group.cuts
        values[group.tags] = (raw.astype(np.uint64) & masks) >> shifts
    elif not group.is_bcd:
        values[group.tags] = raw
    if len(group.sentinel_at):
        bits = own.view(f"<u{raw.itemsize}")[group.sentinel_at].astype(np.uint64)
        hit = group.tags[group.sentinel_at[bits == group.sentinel_raw]]
        quality[hit] = np.where(quality[hit] < Quality.BAD, BAD_SENTINEL, quality[hit])
    if group.is_bcd:
        values[group.tags], is_wrong = _read_digits(raw)
        hit = group.tags[is_wrong]
        quality[hit] = np.where(quality[hit] < Quality.BAD, BAD_MALFORMED, quality[hit])


def _read_digits(raw: NDArray[np.unsignedinteger]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Read four bits a decimal digit; and tell where one is no digit."""
    total = np.zeros(len(raw), dtype=np.float64)
    is_wrong = np.zeros(len(raw), dtype=np.bool_)
    wide = raw.astype(np.int64)
    for place in range(raw.itemsize * 2):
        digit = (wide >> (_NIBBLE * place)) & 0xF
        is_wrong |= digit > _DIGIT_MAX
        total += digit * 10**place
    return total, is_wrong


def _read_text(
    text: _Text, gathered: NDArray[np.uint16], values: NDArray[np.float64], quality: NDArray[np.uint8]
) -> None:
    """Read one string as the number that its text means."""
    own = gathered[text.first : text.last]
    said = (own if text.is_swapped else own.byteswap()).tobytes()[: text.length].rstrip(PADDING)
    number = text.numbers.get(said, math.nan)
    values[text.tag] = number
    if math.isnan(number) and quality[text.tag] < Quality.BAD:
        quality[text.tag] = BAD_UNMAPPED


def _check(placement: Placement) -> None:
    """Refuse a placement that names no known type, order or bit; the configuration has checked this before."""
    if placement.type not in TYPES:
        raise ValueError(f"type {placement.type!r} is none of {', '.join(sorted(TYPES))}.")
    if placement.order not in ORDERS:
        raise ValueError(f"order {placement.order!r} is none of {', '.join(ORDERS)}.")
    if not 0 <= placement.bit <= 15:  # noqa: PLR2004 - a register has 16 bits
        raise ValueError(f"bit {placement.bit} is not between 0 and 15.")
    bits = 16 * WORDS.get(placement.type, 0)
    if placement.mask and (placement.type not in MASKED or not 0 < placement.mask < 1 << bits):
        raise ValueError(f"mask {placement.mask:#x} does not fit the type {placement.type}.")
    if not 0 <= placement.shift < max(bits, 1):
        raise ValueError(f"shift {placement.shift} is not between 0 and {bits - 1}.")
    if placement.type == STRING and not 0 < placement.length <= STRING_BYTES_MAX:
        raise ValueError(f"length {placement.length} is not between 1 and {STRING_BYTES_MAX}.")
    if placement.has_loop and not placement.range_lo < placement.range_hi:
        raise ValueError("a 4-20 mA loop needs the values at 4 and at 20 mA: range_lo below range_hi.")


def _compile(placements: Sequence[Placement], gather: list[int]) -> list[_Group]:
    """Lay the numbers out by type and byte order, so that each group is one slice and one view."""
    members: dict[tuple[str, bool, bool], list[int]] = {}
    for tag, placement in enumerate(placements):
        if placement.type != STRING:
            key = (placement.type, placement.order in ("BADC", "DCBA"), placement.cut[0] != 0)
            members.setdefault(key, []).append(tag)
    groups: list[_Group] = []
    for (kind, is_swapped, is_cut), tags in members.items():
        first = len(gather)
        sentinels: list[tuple[int, int]] = []
        for place, tag in enumerate(tags):
            placement = placements[tag]
            words = range(placement.start, placement.start + placement.words)
            # Least significant word first, as the little-endian view wants it.
            gather.extend(words if placement.order in ("CDAB", "DCBA") else reversed(words))
            sentinels.extend((place, raw) for s in placement.sentinels for raw in raw_bits(s, kind))
        cuts = np.array([placements[t].cut for t in tags], dtype=np.uint64)
        groups.append(
            _Group(
                dtype=DTYPE[kind],
                first=first,
                last=len(gather),
                is_swapped=is_swapped,
                tags=np.array(tags, dtype=np.int64),
                cuts=(cuts[:, 0], cuts[:, 1]) if is_cut else None,
                is_bcd=kind.startswith("bcd"),
                sentinel_at=np.array([place for place, _ in sentinels], dtype=np.int64),
                sentinel_raw=np.array([raw for _, raw in sentinels], dtype=np.uint64),
            )
        )
    return groups


def _compile_texts(placements: Sequence[Placement], gather: list[int]) -> list[_Text]:
    """Lay the strings out after the numbers, each its own slice."""
    texts: list[_Text] = []
    for tag, placement in enumerate(placements):
        if placement.type != STRING:
            continue
        first = len(gather)
        words = range(placement.start, placement.start + placement.words)
        gather.extend(reversed(words) if placement.order in ("CDAB", "DCBA") else words)
        numbers = {
            text.encode(form): number
            for text, number in placement.texts
            for form in ("gb18030", "utf-8")  # Devices in China speak either; ASCII is the same in both.
        }
        texts.append(
            _Text(
                first=first,
                last=len(gather),
                is_swapped=placement.order in ("BADC", "DCBA"),
                length=placement.length,
                tag=tag,
                numbers=numbers,
            )
        )
    return texts
