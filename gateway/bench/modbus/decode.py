"""Words to values: the compiled gather, beside the loop that everybody writes first and pymodbus' converter.

All read the same 1,000 float32 of a device, CDAB, with scale, fill value and range.
"""

import math
import struct
import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge.decode.registers import Placement, RegisterDecoder
from gateway.bench.modbus.peer import floats_of

TAGS: Final = 1_000
SEED: Final = 1
SENTINEL: Final = -9999.0
RANGE_LO: Final = -50.0
RANGE_HI: Final = 150.0
NS: Final = 1_000_000_000


def measure(seconds: float) -> dict[str, Any]:
    """Measure each way for so long, one after the other."""
    generator = np.random.default_rng(SEED)
    raw = generator.uniform(0.0, 100.0, TAGS).astype("<f4")
    raw[::100] = SENTINEL
    words = raw.view("<u2").astype(np.uint16)  # Least significant word first: CDAB.
    answered = np.zeros(1, dtype=np.uint8)
    decoder = RegisterDecoder(
        [
            Placement(
                start=2 * at,
                answer=0,
                type="float32",
                order="CDAB",
                scale=1.0,
                offset=0.0,
                sentinels=(SENTINEL,),
                range_lo=RANGE_LO,
                range_hi=RANGE_HI,
            )
            for at in range(TAGS)
        ]
    )
    registers = [int(word) for word in words]
    ours = _time(lambda: decoder.decode(words, answered), seconds)
    plain = _time(lambda: _plain(registers), seconds)
    library = _time(lambda: _pymodbus(registers), seconds)
    return {
        "case": f"{TAGS} float32 CDAB with fill value and range",
        "values_per_second": ours["values_per_second"],
        "p50_us": ours["p50_us"],
        "p99_us": ours["p99_us"],
        "ways": {
            "one gather for all": ours,
            "a plain loop over values": plain,
            "pymodbus' converter, checked": library,
        },
        "ratio": ours["values_per_second"] / plain["values_per_second"],
        "ratio_pymodbus": ours["values_per_second"] / library["values_per_second"],
    }


def _plain(registers: list[int]) -> list[tuple[float | None, str]]:
    """Decode value by value, as a script does."""
    return [
        _checked(struct.unpack(">f", struct.pack(">HH", registers[2 * at + 1], registers[2 * at]))[0])
        for at in range(TAGS)
    ]


def _pymodbus(registers: list[int]) -> list[tuple[float | None, str]]:
    """Decode all at once with the converter of the library, and check value by value: it knows no quality."""
    return [_checked(value) for value in floats_of(registers, is_low_first=True)]


def _checked(value: float) -> tuple[float | None, str]:
    """Give a value, or why there is none."""
    if value == SENTINEL:
        return None, "sentinel"
    if math.isnan(value) or math.isinf(value):
        return None, "not_a_number"
    if not RANGE_LO <= value <= RANGE_HI:
        return None, "range"
    return value, ""


def _time(work: Callable[[], object], seconds: float) -> dict[str, float]:
    """Repeat for so long; give the rate of the processor's time and the spread of one turn."""
    for _ in range(10):
        work()
    turns: list[int] = []
    cpu_ns = time.process_time_ns()
    end_ns = time.perf_counter_ns() + round(seconds * NS)
    while not turns or time.perf_counter_ns() < end_ns:
        began_ns = time.perf_counter_ns()
        work()
        turns.append(time.perf_counter_ns() - began_ns)
    spent_s = (time.process_time_ns() - cpu_ns) / NS
    return {"values_per_second": len(turns) * TAGS / spent_s, **spread_us(np.array(turns))}


def spread_us(turns_ns: NDArray[np.int64]) -> dict[str, float]:
    """Give median and 99th percentile of times in ns, (n,), in µs."""
    p50, p99 = np.percentile(turns_ns, [50, 99]) / 1_000
    return {"p50_us": float(p50), "p99_us": float(p99)}


def render(result: dict[str, Any]) -> str:
    """Give the result as text."""
    lines = [f"decode: {result['case']}"]
    lines += [
        f"  {name:<28}{way['values_per_second'] / 1e6:>9.2f} M values/s of processor time   "
        f"p50 {way['p50_us']:>8.1f} µs   p99 {way['p99_us']:>8.1f} µs"
        for name, way in result["ways"].items()
    ]
    ratios = f"  {result['ratio']:.0f} times the plain loop, {result['ratio_pymodbus']:.0f} times pymodbus' converter"
    return "\n".join([*lines, ratios])
