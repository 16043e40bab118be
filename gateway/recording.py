"""Recordings: CSV and Parquet files of samples, read as columns in chunks.

Flow: file -> [samples | steps] -> replay, backtest
Why: a year of a thousand tags is half a billion samples; memory stays flat and no sample becomes an object.
Never: sorts, repairs or guesses: what cannot be read is refused with file, line and remedy.

Long form ``time,tag,value[,quality]``, wide form ``time,<tag>,<tag>…`` (an empty cell is no sample). ``time`` is ISO
8601 with offset, or a number since 1970-01-01 UTC, in s, ms or ns told apart by its size (design §5).

A wide line of plain numbers is a JSON array once it stands in brackets, and orjson reads that exactly (the nearest
float64, as ``float`` does) at about 30 ns a cell; any other line is read cell by cell.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import orjson
from numpy.typing import NDArray

from edge.model import Quality, TagTable
from edge.model.quality import Reason, encode, is_bad

CELLS_MAX = 2_000_000  # Cells of a chunk of steps: 16 MB of values, a few of these at a time.
BYTES_READ = 8_000_000
LINES_LONG = 100_000  # Samples of a chunk in long form.
EPOCH_S_MAX = 100_000_000_000  # Beyond, a bare number is ms (until the year 5138), then µs is not offered, then ns.
EPOCH_MS_MAX = 100_000_000_000_000
NS_MAX = 2**62  # The year 2116; leaves room for sums of two times in 64 bits.
NOT_A_NUMBER = encode(Quality.BAD, Reason.NOT_A_NUMBER)
PLAIN = b"0123456789.,-+eE"  # What a line of numbers is made of.
BEYOND_MICROSECONDS = re.compile(r"([.,]\d{6})(\d{1,3})(?!\d)")
PARQUET_MAGIC = b"PAR1"

Times: TypeAlias = NDArray[np.int64]


class RecordingError(ValueError):
    """A recording that cannot be read, with the line and what is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Samples as they stand in the file, as columns of equal length n.

    Attributes:
        times_ns: int64 (n,).
        rows: Tag rows, int32 (n,).
        values: float64 (n,); NaN where BAD for want of a number.
        quality: Quality bytes, uint8 (n,).
        numbers: Line (CSV) or row (Parquet) that each stands in, from 1, int64 (n,).
        share: How much of the file has been read, 0 to 1.
    """

    times_ns: Times
    rows: NDArray[np.int32]
    values: NDArray[np.float64]
    quality: NDArray[np.uint8]
    numbers: NDArray[np.int64]
    share: float

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, part: slice | NDArray[np.bool_]) -> "Samples":
        return Samples(
            times_ns=self.times_ns[part],
            rows=self.rows[part],
            values=self.values[part],
            quality=self.quality[part],
            numbers=self.numbers[part],
            share=self.share,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """Samples by time and tag: n times, strictly rising in what ``steps`` gives, by k tags.

    Attributes:
        times_ns: int64 (n,).
        rows: Tag rows of the columns, each once, int32 (k,).
        values: float64 (n, k); NaN where there is no sample or no number.
        present: Where there is a sample, bool (n, k); None for everywhere.
        quality: Quality bytes, uint8 (n, k); None for GOOD everywhere.
        numbers: Line or row in the file, from 1, int64 (n,).
        share: How much of the file has been read, 0 to 1.
        refused: Second samples of a tag at one time, left out.
    """

    times_ns: Times
    rows: NDArray[np.int32]
    values: NDArray[np.float64]
    present: NDArray[np.bool_] | None
    quality: NDArray[np.uint8] | None
    numbers: NDArray[np.int64]
    share: float
    refused: int = 0

    def __len__(self) -> int:
        return len(self.times_ns)

    @property
    def count(self) -> int:
        """Number of samples."""
        return self.values.size if self.present is None else int(np.count_nonzero(self.present))


# ------------------------------------------------------------------------------------------------------------- doors


def samples(recording: Path, tags: TagTable) -> Iterator[Samples]:
    """Read a recording in the order of the file.

    Raises:
        RecordingError: The file is no recording, or a line of it is none.
        OSError: The file cannot be opened.
    """
    for chunk in _chunks(recording, tags):
        yield _flat(chunk) if isinstance(chunk, Steps) else chunk


def steps(recording: Path, tags: TagTable) -> Iterator[Steps]:
    """Read a recording whose times rise, by time and tag.

    A tag's second sample at one time is left out and counted, as intake does.

    Raises:
        RecordingError: As ``samples``; also where time goes back, because then its order says nothing about time.
        OSError: The file cannot be opened.
    """
    last_ns = -NS_MAX
    held: Samples | None = None  # The last time of a chunk may go on in the next.
    share = 0.0
    for chunk in _chunks(recording, tags):
        if len(chunk) == 0:
            continue
        _check_rising(recording, chunk, last_ns)
        follows = int(chunk.times_ns[0]) > last_ns
        last_ns, share = int(chunk.times_ns[-1]), chunk.share
        if isinstance(chunk, Steps):
            is_plain = len(chunk) == 1 or bool((np.diff(chunk.times_ns) > 0).all())
            if held is None and is_plain and follows:
                yield chunk
                continue
            chunk = _flat(chunk)  # noqa: PLW2901  # The same samples, sample by sample.
        whole = chunk if held is None else join([held, chunk])
        cut = int(np.searchsorted(whole.times_ns, last_ns))
        yield from lay_out(whole[:cut])
        held = whole[cut:]
    if held is not None:
        yield from lay_out(held)
    elif share == 0.0:
        raise RecordingError(f"{recording}: it holds no sample.")


def names_of(recording: Path) -> str:
    """Name what a place in this file is called: a row of Parquet, a line of all else."""
    return "row" if _is_parquet(recording) else "line"


# --------------------------------------------------------------------------------------------------------- both forms


def _chunks(recording: Path, tags: TagTable) -> Iterator[Samples | Steps]:
    if _is_parquet(recording):
        return _parquet(recording, tags)
    return _csv(recording, tags)


def _is_parquet(recording: Path) -> bool:
    with recording.open("rb") as file:
        return file.read(len(PARQUET_MAGIC)) == PARQUET_MAGIC


def _check_rising(recording: Path, chunk: Samples | Steps, last_ns: int) -> None:
    back = np.diff(chunk.times_ns, prepend=last_ns) < 0
    if back.any():
        number = int(chunk.numbers[np.argmax(back)])
        raise RecordingError(
            f"{recording}: {names_of(recording)} {number}: its time is before that of the {names_of(recording)} above; "
            "sort the file by time."
        )


def _flat(chunk: Steps) -> Samples:
    n, k = chunk.values.shape
    every = np.ones((n, k), dtype=np.bool_) if chunk.present is None else chunk.present
    step, column = np.nonzero(every)
    values = chunk.values[every]
    is_number = np.isfinite(values)
    quality = np.zeros(len(values), dtype=np.uint8) if chunk.quality is None else chunk.quality[every]
    return Samples(
        times_ns=chunk.times_ns[step],
        rows=chunk.rows[column],
        values=np.where(is_number, values, np.nan),
        quality=spoilt(quality, is_number),
        numbers=chunk.numbers[step],
        share=chunk.share,
    )


def spoilt(quality: NDArray[np.uint8], is_number: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Let what is no number be BAD, for the reason that the recording gives; where it gives none, for being no number.

    Args:
        quality: Quality bytes as recorded, uint8, of any shape.
        is_number: Where there is a finite value, bool, of the same shape.
    """
    has_reason = is_bad(quality) & (quality != encode(Quality.BAD))
    return np.where(is_number | has_reason, quality, np.uint8(NOT_A_NUMBER))


def join(parts: Sequence[Samples]) -> Samples:
    """Put parts of a recording that follow each other into one."""
    if len(parts) == 1:
        return parts[0]
    return Samples(
        times_ns=np.concatenate([part.times_ns for part in parts]),
        rows=np.concatenate([part.rows for part in parts]),
        values=np.concatenate([part.values for part in parts]),
        quality=np.concatenate([part.quality for part in parts]),
        numbers=np.concatenate([part.numbers for part in parts]),
        share=parts[-1].share,
    )


def lay_out(chunk: Samples) -> Iterator[Steps]:
    """Lay samples of rising time out by time and tag, in parts of at most ``CELLS_MAX`` cells."""
    if len(chunk) == 0:
        return
    rows, column = np.unique(chunk.rows, return_inverse=True)
    begins = np.flatnonzero(np.diff(chunk.times_ns, prepend=chunk.times_ns[0] - 1))
    step = np.repeat(np.arange(len(begins)), np.diff(begins, append=len(chunk)))
    n_max = max(1, CELLS_MAX // len(rows))
    for first in range(0, len(begins), n_max):
        n = min(n_max, len(begins) - first)
        mine = slice(int(begins[first]), int(begins[first + n]) if first + n < len(begins) else len(chunk))
        cell = (step[mine] - first) * len(rows) + column[mine]
        cells, at = np.unique(cell, return_index=True)  # The first of equal ones.
        values = np.full(n * len(rows), np.nan)
        values[cells] = chunk.values[mine][at]
        quality = np.zeros(n * len(rows), dtype=np.uint8)
        quality[cells] = chunk.quality[mine][at]
        present = np.zeros(n * len(rows), dtype=np.bool_)
        present[cells] = True
        yield Steps(
            times_ns=chunk.times_ns[begins[first : first + n]],
            rows=rows.astype(np.int32),
            values=values.reshape(n, -1),
            present=None if len(cells) == len(present) else present.reshape(n, -1),
            quality=quality.reshape(n, -1) if quality.any() else None,
            numbers=chunk.numbers[begins[first : first + n]],
            share=chunk.share,
            refused=len(cell) - len(cells),
        )


def _columns(recording: Path, names: Sequence[str], tags: TagTable) -> NDArray[np.int32]:
    """Give the rows of a wide file's columns."""
    unknown = [name for name in names if name not in tags.row_of]
    if unknown:
        raise RecordingError(f"{recording}: line 1: these columns are no tags of the site: {', '.join(unknown)}.")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise RecordingError(f"{recording}: line 1: these columns stand there twice: {', '.join(twice)}.")
    return np.array([tags.row_of[name] for name in names], dtype=np.int32)


# ----------------------------------------------------------------------------------------------------------------- CSV


def _csv(recording: Path, tags: TagTable) -> Iterator[Samples | Steps]:
    blocks = _blocks(recording)
    first, lines, share = next(blocks, (1, [], 1.0))
    try:
        head = next(csv.reader([lines[0].decode("utf-8-sig")]), []) if lines else []
    except UnicodeDecodeError:
        raise RecordingError(f"{recording}: line 1 is not UTF-8 text.") from None
    if not head or head[0] != "time":
        raise RecordingError(f"{recording}: line 1: the first column must be 'time'; found {head[:1]}.")
    if head[1:3] == ["tag", "value"]:
        yield from _long_csv(recording, head, lines[1:], blocks, tags)
        return
    rows = _columns(recording, head[1:], tags)
    if len(rows) == 0:
        raise RecordingError(f"{recording}: line 1: there is no column of a tag beside 'time'.")
    lines, first = lines[1:], first + 1
    n_max = max(1, CELLS_MAX // len(rows))
    while True:
        for at in range(0, len(lines), n_max):
            yield _wide(recording, rows, lines[at : at + n_max], first + at, share)
        block = next(blocks, None)
        if block is None:
            return
        first, lines, share = block


def _blocks(recording: Path) -> Iterator[tuple[int, list[bytes], float]]:
    """Give (number of the first line, whole lines without their ends, share of the file read)."""
    size = max(1, recording.stat().st_size)
    number, rest, done = 1, b"", 0
    with recording.open("rb") as file:
        while part := file.read(BYTES_READ):
            done += len(part)
            lines = (rest + part).split(b"\n")
            rest = lines.pop()
            if lines:
                yield number, lines, done / size
            number += len(lines)
    if rest:
        yield number, [rest], 1.0


def _wide(recording: Path, rows: NDArray[np.int32], lines: Sequence[bytes], first: int, share: float) -> Steps:
    """Read lines of the wide form; the common line holds plain numbers only."""
    k = len(rows)
    values = np.empty((len(lines), k))
    present = np.ones((len(lines), k), dtype=np.bool_)
    times: list[int] = []
    numbers: list[int] = []
    n, is_full = 0, True
    for number, line in enumerate(lines, start=first):
        line = line.rstrip(b"\r")  # noqa: PLW2901  # A line without its end.
        if not line:
            continue
        time, _, rest = line.partition(b",")
        times.append(_time_ns(recording, number, time.decode("utf-8", "replace").strip('"')))
        numbers.append(number)
        cells, filled = None, rest
        if not rest.translate(None, PLAIN):
            if b",," in rest or rest.startswith(b",") or rest.endswith(b",") or not rest:
                filled = b",".join([cell or b"null" for cell in rest.split(b",")])
            try:
                cells = orjson.loads(b"[" + filled + b"]")
            except orjson.JSONDecodeError:
                cells = None  # "+1", ".5" and "007" are numbers too, but not in JSON.
        may_lack = cells is None or filled is not rest
        if cells is None:
            cells = _slow_cells(recording, number, line)
        if len(cells) != k:
            raise RecordingError(
                f"{recording}: line {number}: it has {len(cells)} cells after the time, the first line has {k}."
            )
        values[n] = cells
        if may_lack and None in cells:
            present[n] = [cell is not None for cell in cells]
            is_full = False
        n += 1
    return _wide_steps(times, rows, values[:n], None if is_full else present[:n], numbers, share)


def _wide_steps(
    times_ns: Any,  # noqa: ANN401  # list or array
    rows: NDArray[np.int32],
    values: NDArray[np.float64],
    present: NDArray[np.bool_] | None,
    numbers: Any,  # noqa: ANN401  # list or array
    share: float,
) -> Steps:
    """Leave out the times at which there is nothing."""
    times_ns, numbers = np.array(times_ns, dtype=np.int64), np.array(numbers, dtype=np.int64)
    if present is not None and not (has := present.any(axis=1)).all():
        times_ns, numbers, values, present = times_ns[has], numbers[has], values[has], present[has]
    return Steps(
        times_ns=times_ns, rows=rows, values=values, present=present, quality=None, numbers=numbers, share=share
    )


def _slow_cells(recording: Path, number: int, line: bytes) -> list[float | None]:
    cells = next(csv.reader([line.decode("utf-8", "replace")]), [])[1:]
    return [None if cell == "" else _number(recording, number, cell) for cell in cells]


def _long_csv(
    recording: Path,
    head: list[str],
    lines: list[bytes],
    blocks: Iterator[tuple[int, list[bytes], float]],
    tags: TagTable,
) -> Iterator[Samples]:
    first, share = 2, 0.0
    while True:
        for at in range(0, len(lines), LINES_LONG):
            yield _long(recording, head, lines[at : at + LINES_LONG], first + at, tags, share)
        block = next(blocks, None)
        if block is None:
            return
        first, lines, share = block


def _long(
    recording: Path, head: list[str], lines: Sequence[bytes], first: int, tags: TagTable, share: float
) -> Samples:
    table = list(csv.reader([line.decode("utf-8", "replace") for line in lines]))
    at_quality = head.index("quality") if "quality" in head else -1
    numbers, times, rows, values, quality = [], [], [], [], []
    time_of: dict[str, int] = {}  # Many samples share their time.
    byte_of: dict[str, int] = {"": 0}
    row_of = tags.row_of
    for number, cells in enumerate(table, start=first):
        if not cells:
            continue
        if len(cells) < 3:  # noqa: PLR2004  # time, tag, value
            raise RecordingError(
                f"{recording}: line {number}: it has {len(cells)} cells; time, tag and value are needed."
            )
        time, tag, value = cells[:3]
        word = cells[at_quality] if 0 <= at_quality < len(cells) else ""
        if tag not in row_of:
            raise RecordingError(f"{recording}: line {number}: {tag!r} is no tag of the site.")
        if time not in time_of:
            time_of[time] = _time_ns(recording, number, time)
        if value == "" and word == "":
            continue
        if word not in byte_of:
            byte_of[word] = _byte(recording, number, word)
        numbers.append(number)
        times.append(time_of[time])
        rows.append(row_of[tag])
        values.append(_number(recording, number, value) if value else np.nan)
        quality.append(byte_of[word])
    return _samples(np.array(times, dtype=np.int64), rows, values, quality, numbers, share)


def _samples(times_ns: Times, rows: Any, values: Any, quality: Any, numbers: Any, share: float) -> Samples:  # noqa: ANN401  # lists or arrays
    value = np.array(values, dtype=np.float64)
    byte = np.array(quality, dtype=np.uint8)
    is_number = np.isfinite(value)
    return Samples(
        times_ns=times_ns,
        rows=np.array(rows, dtype=np.int32),
        values=np.where(is_number, value, np.nan),
        quality=spoilt(byte, is_number),
        numbers=np.array(numbers, dtype=np.int64),
        share=share,
    )


def _number(recording: Path, number: int, cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        raise RecordingError(f"{recording}: {names_of(recording)} {number}: {cell!r} is no number.") from None


def _byte(recording: Path, number: int, cell: str) -> int:
    word, _, reason = cell.upper().removesuffix(")").partition("(")
    if word not in Quality.__members__:
        raise RecordingError(
            f"{recording}: {names_of(recording)} {number}: quality {cell!r} is not GOOD, UNCERTAIN or BAD."
        )
    # A reason of another product's recording, or none of ours, still leaves the class.
    return encode(Quality[word], Reason.__members__.get(reason, Reason.NONE))


def _time_ns(recording: Path, number: int, cell: str) -> int:
    """Read ISO 8601 with offset, or epoch s, ms or ns told apart by size; a time without offset is refused."""
    try:
        time_ns = parse_time_ns(cell)
    except ValueError as failure:
        raise RecordingError(f"{recording}: {names_of(recording)} {number}: {failure}") from None
    return time_ns


def parse_time_ns(cell: str) -> int:
    """Read a time as a recording has it, ns since 1970-01-01 UTC.

    Raises:
        ValueError: It is no time, or has no offset; a sentence.
    """
    try:
        amount = float(cell)
    except ValueError:
        time_ns = _iso_ns(cell)
    else:
        if not np.isfinite(amount):
            raise ValueError(f"{cell!r} is no time.")
        if abs(amount) < EPOCH_S_MAX:
            time_ns = round(amount * 1e9)
        else:
            time_ns = int(amount) * 1_000_000 if abs(amount) < EPOCH_MS_MAX else int(cell)
    if not 0 < time_ns < NS_MAX:
        raise ValueError(f"{cell!r} is a time out of range (1970 to 2116).")
    return time_ns


def _iso_ns(cell: str) -> int:
    fine_ns = 0
    if (found := BEYOND_MICROSECONDS.search(cell)) is not None:
        fine_ns = int(found[2].ljust(3, "0"))
        cell = cell[: found.start(2)] + cell[found.end(2) :]
    try:
        moment = datetime.fromisoformat(cell)
    except ValueError:
        raise ValueError(f"{cell!r} is no time.") from None
    if moment.tzinfo is None:
        raise ValueError(f"{cell!r} has no offset; write e.g. +08:00 or Z after it.")
    whole = moment.replace(microsecond=0)
    return int(whole.timestamp()) * 1_000_000_000 + moment.microsecond * 1000 + fine_ns


# ------------------------------------------------------------------------------------------------------------- Parquet


def _parquet(recording: Path, tags: TagTable) -> Iterator[Samples | Steps]:
    try:
        from pyarrow import ArrowInvalid  # noqa: PLC0415  # 170 MB that only those who have Parquet files need
        from pyarrow.parquet import ParquetFile  # noqa: PLC0415
    except ImportError:
        raise RecordingError(
            f"{recording}: reading Parquet needs pyarrow; install it with: pip install 'fengsui[parquet]'."
        ) from None
    try:
        file = ParquetFile(recording)
    except ArrowInvalid as failure:
        raise RecordingError(f"{recording}: it is no whole Parquet file: {failure}") from None
    with file:
        head = file.schema_arrow.names
        if not head or head[0] != "time":
            raise RecordingError(f"{recording}: the first column must be 'time'; found {head[:1]}.")
        is_long = head[1:3] == ["tag", "value"]
        rows = np.empty(0, np.int32) if is_long else _columns(recording, head[1:], tags)
        if not is_long and len(rows) == 0:
            raise RecordingError(f"{recording}: there is no column of a tag beside 'time'.")
        n_max = LINES_LONG if is_long else max(1, CELLS_MAX // len(rows))
        done, total = 0, max(1, file.metadata.num_rows)
        for batch in file.iter_batches(batch_size=n_max):
            numbers = np.arange(done + 1, done + 1 + len(batch), dtype=np.int64)
            done += len(batch)
            times_ns = _arrow_times(recording, batch.column(0), numbers)
            if is_long:
                yield _long_parquet(recording, head, batch, times_ns, numbers, tags, done / total)
            else:
                yield _wide_parquet(recording, rows, batch, times_ns, numbers, done / total)


def _wide_parquet(
    recording: Path,
    rows: NDArray[np.int32],
    batch: Any,  # noqa: ANN401  # pyarrow ships no types
    times_ns: Times,
    numbers: NDArray[np.int64],
    share: float,
) -> Steps:
    values = np.empty((len(batch), len(rows)))
    present = None
    for place in range(len(rows)):
        column = batch.column(place + 1)
        values[:, place] = _arrow_numbers(recording, column, batch.schema.names[place + 1])
        if column.null_count:
            if present is None:
                present = np.ones(values.shape, dtype=np.bool_)
            present[:, place] = ~column.is_null().to_numpy(zero_copy_only=False)
    return _wide_steps(times_ns, rows, values, present, numbers, share)


def _long_parquet(
    recording: Path,
    head: list[str],
    batch: Any,  # noqa: ANN401  # pyarrow ships no types
    times_ns: Times,
    numbers: NDArray[np.int64],
    tags: TagTable,
    share: float,
) -> Samples:
    encoded = batch.column(1)
    encoded = encoded if hasattr(encoded, "dictionary") else encoded.dictionary_encode()
    names = encoded.dictionary.to_pylist()
    code = encoded.indices.to_numpy(zero_copy_only=False)
    row_of = np.array([tags.row_of.get(name, -1) for name in names] + [-1], dtype=np.int32)
    place = np.where(np.isfinite(code), code, len(names)).astype(np.int64)
    rows = row_of[place]
    if (rows < 0).any():
        at = int(np.argmax(rows < 0))
        name = names[place[at]] if place[at] < len(names) else None
        raise RecordingError(f"{recording}: row {numbers[at]}: {name!r} is no tag of the site.")
    values = _arrow_numbers(recording, batch.column(2), "value")
    quality = np.zeros(len(batch), dtype=np.uint8)
    has = ~batch.column(2).is_null().to_numpy(zero_copy_only=False)
    if "quality" in head:
        words = batch.column(head.index("quality")).to_pylist()
        byte_of = {word: _byte(recording, int(numbers[words.index(word)]), word) for word in set(words) if word}
        quality = np.array([byte_of.get(word, 0) for word in words], dtype=np.uint8)
        has |= np.array([bool(word) for word in words], dtype=np.bool_)
    return _samples(times_ns[has], rows[has], values[has], quality[has], numbers[has], share)


def _arrow_numbers(recording: Path, column: Any, name: str) -> NDArray[np.float64]:  # noqa: ANN401  # pyarrow ships no types
    kind = str(column.type)
    if not kind.startswith(("int", "uint", "float", "double", "halffloat", "bool")):
        raise RecordingError(f"{recording}: column {name!r} holds {kind}, not numbers.")
    values: NDArray[np.float64] = column.to_numpy(zero_copy_only=False).astype(np.float64)
    return values


def _arrow_times(recording: Path, column: Any, numbers: NDArray[np.int64]) -> Times:  # noqa: ANN401  # pyarrow ships no types
    if column.null_count:
        at = int(np.argmax(column.is_null().to_numpy(zero_copy_only=False)))
        raise RecordingError(f"{recording}: row {numbers[at]}: there is no time.")
    kind = str(column.type)
    if kind.startswith("timestamp"):
        if "tz=" not in kind:
            raise RecordingError(
                f"{recording}: column 'time' is {kind}, which has no offset; write it with a time zone, e.g. UTC."
            )
        unit = kind.removeprefix("timestamp[").split(",")[0]
        factor = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}[unit]
        times_ns: Times = column.view("int64").to_numpy(zero_copy_only=False) * factor
    elif kind in ("int64", "uint64", "int32", "uint32"):
        amount = column.to_numpy(zero_copy_only=False).astype(np.int64)
        factors = np.where(
            np.abs(amount) < EPOCH_S_MAX, 1_000_000_000, np.where(np.abs(amount) < EPOCH_MS_MAX, 1_000_000, 1)
        )
        times_ns = amount * factors
    else:
        cells = [str(cell) for cell in column.to_pylist()]
        return np.array(
            [_time_ns(recording, int(n), cell) for n, cell in zip(numbers, cells, strict=True)], dtype=np.int64
        )
    wrong = (times_ns <= 0) | (times_ns >= NS_MAX)
    if wrong.any():
        at = int(np.argmax(wrong))
        raise RecordingError(f"{recording}: row {numbers[at]}: its time is out of range (1970 to 2116).")
    return times_ns
