"""Small collections, made with a seed in each collection's file format, its traps included."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

START = datetime(2020, 3, 2, tzinfo=UTC)


def courses(rows: int, tags: int, seed: int) -> np.ndarray:
    """Tags that go together, each with noise of its own."""
    dice = np.random.default_rng(seed)
    time = np.arange(rows)
    hidden = np.stack([np.sin(time / 17), np.cos(time / 41), np.sin(time / 5)], axis=1)
    return 20 + hidden @ dice.normal(size=(3, tags)) + 0.05 * dice.normal(size=(rows, tags))


def skab(folder: Path, *, has_labels: bool = True) -> None:
    """``;`` between cells, seconds that are skipped, labels as columns; the anomaly-free file is no test."""
    for name, seed in (("valve1/0.csv", 1), ("valve1/1.csv", 2)):
        values = courses(700, 4, seed)
        truth = np.zeros(700)
        truth[550:620] = 1
        values[550:620, 1] += 3
        lines = ["datetime;A;B;C;Volume Flow RateRMS" + (";anomaly;changepoint" if has_labels else "")]
        at = START
        for number, row in enumerate(values):
            at += timedelta(seconds=3 if number % 97 == 0 else 1)
            cells = [f"{at:%Y-%m-%d %H:%M:%S}", *(f"{cell:.6f}" for cell in row)]
            lines.append(";".join(cells + ([f"{truth[number]:.1f}", "0.0"] if has_labels else [])))
        write(folder / "skab" / name, lines)
    write(folder / "skab/anomaly-free/anomaly-free.csv", ["datetime;A", "2020-01-01 00:00:00;1"])


def nab(folder: Path, *, has_labels: bool = True) -> None:
    """One signal a file; windows in a file of their own."""
    values = 10 + np.sin(np.arange(1000) / 20) + 0.1 * np.random.default_rng(3).normal(size=1000)
    values[600:605] += 15
    times = [START + timedelta(minutes=5 * n) for n in range(1000)]
    lines = ["timestamp,value", *(f"{t:%Y-%m-%d %H:%M:%S},{v:.5f}" for t, v in zip(times, values, strict=True))]
    write(folder / "nab/data/made/spike.csv", lines)
    if has_labels:
        edges = [f"{times[n]:%Y-%m-%d %H:%M:%S}.000000" for n in (580, 640)]
        write(folder / "nab/labels/combined_windows.json", [json.dumps({"made/spike.csv": [edges]})])


def tep(folder: Path) -> None:
    """``d00.dat`` transposed, tests upright; no times, no names."""
    whole = courses(900 + 960 + 960, 52, 4)
    block(folder / "tep/d00.dat", whole[:500].T)
    block(folder / "tep/d00_te.dat", whole[900:1860])
    faulty = whole[1860:].copy()
    faulty[160:, 7] += 2
    block(folder / "tep/d01_te.dat", faulty)
    block(folder / "tep/d01.dat", faulty[:480])


def batadal(folder: Path, *, has_labels: bool = True) -> None:
    """Blanks in the second head, -999, ``dd/mm/yy HH``; the attacks stand in a table of their own."""
    names = ["L_T1", "F_PU1", "S_PU1", "P_J280"]
    whole = courses(1200, 4, 5)
    whole[:, 2] = whole[:, 1] > 20
    flag = ["ATT_FLAG"] if has_labels else []
    for file, part, blank, label in (("03", whole[:700], "", "0"), ("04", whole[700:].copy(), " ", "-999")):
        first = START if file == "03" else START + timedelta(days=60)
        if file == "04":
            part[300:360, 0] += 4
        lines = [",".join(["DATETIME", *(blank + name for name in names + flag)])]
        for number, row in enumerate(part):
            cells = [f"{first + timedelta(hours=number):%d/%m/%y %H}", *(f"{blank}{cell:.4f}" for cell in row)]
            lines.append(",".join(cells + ([blank + label] if has_labels else [])))
        write(folder / f"batadal/BATADAL_dataset{file}.csv", lines)
    if has_labels:
        first, last = (START + timedelta(days=60, hours=hours) for hours in (300, 359))
        text = f'1,train2,{first:%d/%m/%Y %H},{last:%d/%m/%Y %H},60,"Level, falsified",'
        write(folder / "batadal/attacks_dataset04.csv", ["id,set,start,end,hours,description,concealment", text])


def occupancy(folder: Path, *, has_labels: bool = True) -> None:
    """A head that is one cell shorter than the rows, and a weekend without people."""
    dice = np.random.default_rng(6)
    lines = [",".join(f'"{name}"' for name in ["date", "Temperature", "Humidity", "Light", "CO2", "HumidityRatio"])]
    lines[0] += ',"Occupancy"' if has_labels else ""
    content = 440.0
    friday = datetime(2015, 2, 6, 12, tzinfo=UTC)
    for number in range(4 * 24 * 60):
        at = friday + timedelta(minutes=number)
        is_there = at.weekday() < 5 and 9 <= at.hour < 17
        content += 8.0 * is_there - 0.7 / 60 * (content - 440)
        cells = [f'"{number}"', f'"{at:%Y-%m-%d %H:%M:%S}"', f"{20 + 0.01 * dice.normal():.4f}", "27.0"]
        cells += [f"{400 * is_there}", f"{content + dice.normal():.3f}", "0.0040"]
        lines.append(",".join(cells + ([str(int(is_there))] if has_labels else [])))
    write(folder / "occupancy/datatraining.txt", lines)


def auckland(folder: Path) -> None:
    """A file's day runs from 6:00 to 5:59; an empty column, a counter that died before, and two that work."""
    dice = np.random.default_rng(7)
    lines = ["date,hour,year,1 Lane,Empty,2 Quay (EW),Died"]
    first = datetime(2019, 6, 1, tzinfo=UTC)
    for day in range(75):
        for hour in (*range(6, 24), *range(6)):
            on = first + timedelta(days=day)
            lane, quay = (
                int(size * (1 + np.sin((hour - 9) / 24 * 6.2832))) + dice.integers(9, 60) for size in (300, 80)
            )
            died = 5 if day < 10 else 0
            lines.append(f"{on:%Y-%m-%d},{hour}:00-{hour}:59,2019,{lane}.0,,{quay}.0,{died}.0")
    write(folder / "crowd_auckland/hourly_counts_2019.csv", lines)


def calit2(folder: Path) -> None:
    """No head, out before in, nobody at night."""
    dice = np.random.default_rng(8)
    first, lines = datetime(2005, 7, 24, tzinfo=UTC), []
    for number in range(48 * 42):
        at = first + timedelta(minutes=30 * number)
        for gate in (7, 9):
            count = int(dice.integers(3, 25)) if 7 <= at.hour < 19 else 0
            lines.append(f"{gate},{at:%m/%d/%y},{at:%H:%M:%S},{count}")
    write(folder / "crowd_calit2/CalIt2.data", lines)


def airquality(folder: Path) -> None:
    """``;``, decimal comma, -200, a stray ``,`` at the ends of lines, empty rows; months are left out to be short."""
    values = courses(960, 4, 9)
    lines = ["Date;Time;CO(GT);PT08.S1(CO);PT08.S2(NMHC);T;AH,,,,,"]
    for number, row in enumerate(values):
        at = datetime(2004, 3, 10, 18, tzinfo=UTC) + timedelta(hours=number, days=184 - 20 if number >= 480 else 0)
        cells = [f"{cell:.4f}".replace(".", ",") for cell in row]
        if number % 100 == 50:
            cells[0] = "-200"
        lines.append(f"{at:%d/%m/%Y};{at:%H.%M.%S};-200;{';'.join(cells)};;" + ("," if number % 2 else ""))
    write(folder / "gas_airquality/AirQualityUCI.csv", [*lines, ";;;;;;;;,,,,,"])


def write(path: Path, lines: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def block(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savetxt(path, values, fmt="%.7e", delimiter="   ")
