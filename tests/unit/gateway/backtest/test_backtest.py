"""A backtest of an hour whose figures were worked out by hand, its golden report, and what else the command promises.

The hour (10 s a step, seconds from its start; H 7 m, HH 8 m, gas HH 25 %LEL with an on-delay of 20 s):

    300–320   level above H                          false alarm
    600–650   three trips of H, 10 s each            false alarms, chattering
    1200–1500 label "overfill" (TK.level)            H from 1260, HH from 1290, both until 1400
    2000–2040 level is NaN                           BAD from 2030 to 2050
    2400–2700 label "leak"                           gas from 2460 on: trips at 2480, clears at 2560
    3000–3100 label "unseen"                         nothing
    3300–3340 no gas samples                         silent from 3320 to 3350
"""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.backtest.labels import read_labels
from gateway.backtest.page import page
from gateway.backtest.run import Asked, backtest, compare
from gateway.cli import app
from gateway.load import load
from gateway.recording import RecordingError

CASE = Path(__file__).parents[3] / "golden" / "backtest" / "tank"
SITE, OTHER = CASE / "site.toml", CASE / "other.toml"
RECORDING, LABELS = CASE / "recording.csv", CASE / "labels.csv"
HOUR_S = 3590.0


def run(recording: Path = RECORDING, labels: Path | None = LABELS, site: Path = SITE) -> dict[str, Any]:
    return backtest(load(site), Asked(recording=recording, labels=labels))


def rules(result: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["rule"]: each for each in result["rules"]}


# ------------------------------------------------------------------------------------------------------------ by hand


@pytest.mark.parametrize(
    ("rule", "alarms", "false", "chattering", "active_s", "windows", "detected", "delay_s"),
    [
        ("TK.level.H", 5, 4, 3, 20 + 3 * 10 + 140, 3, 1, 60.0),
        ("TK.level.HH", 1, 0, 0, 110, 3, 1, 90.0),
        ("TK.level.BAD", 1, 1, 0, 20, 3, 0, None),
        ("TK.level.STALE", 0, 0, 0, 0, 3, 0, None),
        ("GD.lel.HH", 1, 0, 0, 80, 2, 1, 80.0),
        ("GD.lel.STALE", 1, 1, 0, 30, 2, 0, None),
        ("GD.lel.BAD", 0, 0, 0, 0, 2, 0, None),
    ],
)
def test_figures_of_a_rule(
    rule: str, alarms: int, false: int, chattering: int, active_s: float, windows: int, detected: int, delay_s: float
) -> None:
    figures = rules(run())[rule]

    assert (figures["alarms"], figures["false_alarms"], figures["chattering"]) == (alarms, false, chattering)
    assert figures["time_in_alarm_s"] == active_s
    assert (figures["windows"], figures["detected"], figures["missed"]) == (windows, detected, windows - detected)
    assert (figures["delay_s_median"], figures["delay_s_worst"]) == (delay_s, delay_s)
    assert figures["alarms_per_day"] == pytest.approx(alarms * 86_400 / HOUR_S)
    assert figures["false_alarms_per_day"] == pytest.approx(false * 86_400 / (HOUR_S - 700))
    assert (figures["fleeting"], figures["standing"]) == (0, 0)


def test_figures_of_the_whole() -> None:
    result = run()
    found, load_ = result["detection"], result["load"]

    assert (found["windows"], found["detected"], found["missed"]) == (3, 2, 1)
    assert (found["delay_s_median"], found["delay_s_worst"]) == (70.0, 80.0)
    assert found["false_alarms"] == 6
    assert [each["rule"] for each in result["labels"]] == ["TK.level.H", "GD.lel.HH", None]
    # Announced: H five times, HH once (escalated), BAD, gas, STALE.
    assert load_["alarms"] == 9
    assert load_["per_10_min"] == pytest.approx(9 * 600 / HOUR_S)
    assert (load_["peak_10_min"], load_["over_10_share"], load_["flood_share"]) == (3, 0.0, 0.0)
    assert result["timeline"]["peak_10_min"] == [1, 3, 2, 1, 1, 1]
    assert load_["by_tier"] == pytest.approx({"BLUE": 2 / 9, "YELLOW": 5 / 9, "ORANGE": 0, "RED": 2 / 9})
    assert (load_["top_share"], load_["active_max"], load_["standing_max"]) == (1.0, 1, 0)


def test_report_is_the_golden_one() -> None:
    """All figures, advice and its measured effect; rewrite it with ``fengsui backtest … --json`` after a look."""
    golden = json.loads((CASE / "expected.json").read_text(encoding="utf-8"))
    result = json.loads(json.dumps(run()))

    del result["revision"], golden["revision"]  # A digest of the configuration's files.
    assert result == golden


def test_a_second_configuration_is_compared() -> None:
    """H at 7.4 with a deadband: the trips at 7.2 are gone, nothing comes later."""
    difference = compare(run(), run(site=OTHER))

    changed = {each["rule"]: each for each in difference["rules"]}
    assert list(changed) == ["TK.level.H", "TK.level.HH"]  # HH has the new deadband too, and did the same.
    assert changed["TK.level.H"]["settings"] == {"setpoint": [7.0, 7.4], "deadband": [0.0, 0.5]}
    assert (changed["TK.level.H"]["alarms"], changed["TK.level.H"]["delay_s_median"]) == (-3, 0.0)
    assert difference["load"]["alarms"] == -3
    assert difference["detection"]["missed"] == 0


# ------------------------------------------------------------------------------------------------------------- formats


def as_long(rows: list[list[str]]) -> str:
    head, *lines = rows
    cells = [(line[0], name, cell) for line in lines for name, cell in zip(head[1:], line[1:], strict=True) if cell]
    return "time,tag,value,quality\n" + "".join(f"{time},{tag},{value},\n" for time, tag, value in cells)


@pytest.mark.parametrize("form", ["long.csv", "turned.csv", "wide.parquet", "long.parquet"])
def test_every_form_gives_the_same_report(form: str, tmp_path: Path) -> None:
    rows = [line.split(",") for line in RECORDING.read_text(encoding="utf-8").splitlines()]
    path = tmp_path / form
    if form == "long.csv":
        path.write_text(as_long(rows), encoding="utf-8")
    elif form == "turned.csv":  # Other order, Windows line ends, a mark of UTF-8 at the beginning, no end of line.
        path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(f"{t},{g},{level}" for t, level, g in rows).encode())
    else:
        write_parquet(path, rows, is_long=form.startswith("long"))
    result, wide = run(path), run()

    assert result.pop("recording") == form
    assert wide.pop("recording") == "recording.csv"
    assert result == wide


def write_parquet(path: Path, rows: list[list[str]], *, is_long: bool) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet  # noqa: PLC0415  # only with pyarrow

    if is_long:
        rows = [line.split(",")[:3] for line in as_long(rows).splitlines()]
        tags = pyarrow.array([line[1] for line in rows[1:]]).dictionary_encode()
        columns = {"tag": tags, "value": [float(line[2]) for line in rows[1:]]}
    else:
        columns = {
            name: [float(line[c]) if line[c] else None for line in rows[1:]] for c, name in enumerate(rows[0]) if c
        }
    seconds = [1_767_196_800 + 10 * i for i in range(len(rows) - 1)]
    if is_long:
        from datetime import datetime  # noqa: PLC0415

        seconds = [int(datetime.fromisoformat(line[0]).timestamp()) for line in rows[1:]]
    times = pyarrow.array([s * 1_000_000 for s in seconds], pyarrow.timestamp("us", tz="Asia/Shanghai"))
    parquet.write_table(pyarrow.table({"time": times, **columns}), path, row_group_size=100)


def test_parquet_without_a_zone_is_refused(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet  # noqa: PLC0415

    path = tmp_path / "local.parquet"
    times = pyarrow.array([1_000_000], pyarrow.timestamp("us"))
    parquet.write_table(pyarrow.table({"time": times, "GD.lel": [1.0]}), path)
    with pytest.raises(RecordingError, match="has no offset; write it with a time zone"):
        run(path, None)


def test_parquet_without_pyarrow_names_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "r.parquet"
    path.write_bytes(b"PAR1")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(RecordingError, match=r"pip install 'fengsui\[parquet\]'"):
        run(path, None)


def test_a_cut_parquet_file_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    path = tmp_path / "r.parquet"
    path.write_bytes(b"PAR1 and no more")
    with pytest.raises(RecordingError, match="no whole Parquet file"):
        run(path, None)


# ----------------------------------------------------------------------------------------------------------- bad input

Z = "2026-01-01T00:00:0"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1: the first column must be 'time'"),
        ("time,GD.lel\n", "it holds no sample"),
        ("time\n1767225600\n", "no column of a tag beside 'time'"),
        ("time,GD.lel,GD.lel\n1767225600,1,2\n", "stand there twice: GD.lel"),
        ("time,GD.lel,P.x\n1767225600,1,2\n", "line 1: these columns are no tags of the site: P.x"),
        (
            f"time,GD.lel\n{Z}2Z,1\n{Z}1Z,1\n",
            "line 3: its time is before that of the line above; sort the file by time",
        ),
        (f"time,tag,value\n{Z}2Z,GD.lel,1\n\n{Z}1Z,GD.lel,1\n", "line 4: its time is before"),
        (f"time,GD.lel\n{Z}1,1\n", r"line 2: .* has no offset; write e.g. \+08:00 or Z after it"),
        (f"time,GD.lel\n{Z}1Z,1,2\n", "line 2: it has 2 cells after the time, the first line has 1"),
        (f"time,GD.lel,TK.level\n{Z}1Z,1,2\n{Z}2Z,1\n", "line 3: it has 1 cells after the time, the first line has 2"),
        (f"time,GD.lel\n{Z}1Z,true\n", "line 2: 'true' is no number"),
        (f"time,GD.lel\n{Z}1Z,[1]\n", r"line 2: '\[1\]' is no number"),
        ("time,GD.lel\n-5,1\n", "line 2: '-5' is a time out of range"),
        ("time,GD.lel\nnan,1\n", "line 2: 'nan' is no time"),
        (f"time,tag,value\n{Z}1Z,GD.lel\n", "line 2: it has 2 cells; time, tag and value are needed"),
        (f"time,tag,value,quality\n{Z}1Z,GD.lel,1,SPLENDID\n", "line 2: quality 'SPLENDID' is not GOOD"),
        ('{"format":"fengsui-recording/1"}\n', "`fengsui replay` carries this one"),
    ],
)
def test_a_bad_recording_is_refused_with_its_line(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RecordingError, match=said) as caught:
        run(path, None)
    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1: the first columns must be 'start' and 'end'"),
        ("start,end,who\n", "line 1: 'who' is none of the columns start, end, tag, name"),
        (f"start,end\n{Z}2Z,{Z}1Z\n", "line 2: the end '.*' is before the start"),
        (f"start,end\n{Z}1Z,{Z}2Z\n{Z}1Z,soon\n", "line 3: 'soon' is no time"),
        (f"start,end\n{Z}1,{Z}2Z\n", "line 2: .* has no offset"),
        (f"start,end,tag\n{Z}1Z,{Z}2Z,P.x\n", "line 2: 'P.x' is no tag of the site"),
        (f"start,end\n{Z}1Z\n", "line 2: '' is no time"),
    ],
)
def test_bad_labels_are_refused_with_their_line(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RecordingError, match=said):
        read_labels(path, load(SITE).tags)


def test_a_second_sample_at_one_time_is_left_out_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text(f"time,GD.lel\n{Z}1Z,1\n{Z}1Z,99\n{Z}2Z,1\n", encoding="utf-8")
    result = run(path, None)

    assert (result["samples"], result["refused"], result["load"]["alarms"]) == (2, 1, 0)


def test_reading_ahead_in_a_process_changes_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    alone = run()
    monkeypatch.setattr("gateway.backtest.ahead.BYTES_WORTH", 0)
    assert run() == alone

    path = tmp_path / "r.csv"
    path.write_text(f"time,GD.lel\n{Z}1Z,1\n{Z}2,1\n", encoding="utf-8")
    with pytest.raises(RecordingError, match=r"line 3: .* has no offset"):
        run(path, None)


def test_progress_is_told_from_the_beginning_and_within_a_chunk(tmp_path: Path) -> None:
    """A level that crosses H with every sample: each is a turn, and all of the file is one chunk."""
    path = tmp_path / "r.csv"
    at = 1_767_225_600
    path.write_text("time,TK.level\n" + "".join(f"{at + 10 * i},{5 + 2.5 * (i % 2)}\n" for i in range(700)), "utf-8")
    told: list[tuple[str, float]] = []
    backtest(load(SITE), Asked(recording=path, with_advice=False), lambda name, share: told.append((name, share)))

    shares = [share for name, share in told if name == "rules"]
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert shares == sorted(shares)
    assert len([share for share in shares if 0.2 < share < 0.9]) >= 2


# --------------------------------------------------------------------------------------------------- command and page


def command(*more: str | Path) -> Any:  # noqa: ANN401  # typer's result
    return CliRunner().invoke(app, ["backtest", str(SITE), str(RECORDING), *map(str, more)])


def test_the_command_gives_the_same_bytes_twice(tmp_path: Path) -> None:
    first, second = tmp_path / "1.html", tmp_path / "2.html"
    told = [command("--labels", LABELS, "--json", "--report", path) for path in (first, second)]

    assert told[0].stdout == told[1].stdout
    assert first.read_bytes() == second.read_bytes()
    assert told[0].exit_code == 1, "a label was missed"
    assert told[0].stderr == "", "no progress where there is no terminal"
    assert json.loads(told[0].stdout)["format"] == "fengsui-backtest/1"


def test_the_command_compares_and_says_what_matters() -> None:
    told = command("--compare", OTHER, "--json", "--no-advice")
    assert told.exit_code == 0
    assert set(json.loads(told.stdout)) == {"first", "second", "difference"}
    assert "advice" not in json.loads(told.stdout)["first"]

    text = command("--labels", LABELS).stdout
    assert "2 of 3 detected, delay 70 s in the median, 80 s at worst" in text
    assert "Target missed: per_10_min 1.504, should be at most 1" in text


def test_the_command_says_what_differs_between_two_configurations() -> None:
    text = command("--labels", LABELS, "--compare", OTHER, "--no-advice").stdout
    beside = text[text.index("Second configuration") :]
    first, second = (rules(run(site=site)) for site in (SITE, OTHER))
    alarms = [sum(each["alarms"] for each in figures.values()) for figures in (first, second)]
    assert f"  alarms: {alarms[0]} → {alarms[1]}" in beside
    assert "labels detected: 2 → " in beside
    for name in first.keys() & second.keys():
        if first[name]["setpoint"] != second[name]["setpoint"]:
            assert f"setpoint {first[name]['setpoint']:g} → {second[name]['setpoint']:g}" in beside
    same = command("--compare", SITE, "--no-advice").stdout
    assert same.rstrip().endswith("On this recording no rule says anything else.")


def test_the_site_of_the_demonstration_is_told_as_json_and_compares_equal_to_itself() -> None:
    """It has rules of every kind; those without a number are None, and no number would not be equal to itself."""
    site = Path(__file__).parents[4] / "config" / "demo" / "site.toml"
    recording = site.with_name("recordings") / "buncefield.csv"
    asked = ["backtest", str(site), str(recording), "--compare", str(site), "--no-advice", "--json"]
    told = CliRunner().invoke(app, asked)
    assert told.exit_code == 0, told.exception
    found = json.loads(told.stdout)
    assert found["difference"]["rules"] == []
    assert None in {each["setpoint"] for each in found["first"]["rules"]}


def test_the_command_refuses_with_one_sentence(tmp_path: Path) -> None:
    told = CliRunner().invoke(app, ["backtest", str(SITE), str(tmp_path / "none.csv")])
    assert told.exit_code == 2
    assert "none.csv" in told.stderr
    assert "Traceback" not in told.stderr


def test_the_report_needs_nothing_else_and_trusts_no_name() -> None:
    hostile = "<script>alert(1)</script>\"'&"
    result = run()
    for each in (*result["rules"], *result["labels"], *result["advice"], *result["pictures"]):
        for field in ("rule", "tag", "name", "eu"):
            if each.get(field):
                each[field] = hostile
    result["site"] = result["recording"] = hostile
    text = page([result, result], compare(result, result))

    assert "<script" not in text
    assert "alert(1)" in text
    for outside in ("http://", "https://", "url(", "@import", "src=", "<link"):
        assert outside not in text
    assert text.count("<svg") >= 3
    for word in ("报警负荷", "Alarm load", "整定建议", "Tuning advice"):
        assert word in text
