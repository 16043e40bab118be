"""The command: 0 when all was seen, 1 when something was missed, 2 when it cannot be played; the files are there."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli import app
from gateway.simulate.report import STAGES
from gateway.simulate.result import FILES

HEAD = 'plant = "lpg-bay"\nlasts_s = 12\n'
QUIET = '[[expect]]\nid = "still"\nsee = "quiet"\nunit = "V-501"\n'
NEVER = '[[expect]]\nid = "gas"\nsee = "alarm"\ntag = "GD-501.lel"\ncondition = "HH"\n'


def run(tmp_path: Path, body: str, *more: str) -> tuple[int, str, str]:
    path = tmp_path / "story.toml"
    path.write_text(body, encoding="utf-8")
    found = CliRunner().invoke(app, ["simulate", str(path), "--out", str(tmp_path / "out"), *more])
    return found.exit_code, found.stdout, found.stderr


def test_all_seen_is_0_and_leaves_its_files(tmp_path: Path) -> None:
    code, out, _ = run(tmp_path, HEAD + QUIET, "--json", "--seed", "7")
    told = json.loads(out)

    assert (code, told["passed"], told["seed"]) == (0, True, 7)
    assert told["expectations"][0]["why"]["zh"] == "0–12 s 内 V-501 无报警。"
    assert {file.name for file in (tmp_path / "out").iterdir()} == set(FILES)
    assert json.loads((tmp_path / "out/result.json").read_text("utf-8")) == told
    assert STAGES.keys() - {"watching"} == told["spent_s"].keys()
    with_gateway_s = sum(seconds for stage, seconds in told["spent_s"].items() if stage != "physics alone")
    assert with_gateway_s == pytest.approx(12 / told["pace"], rel=0.02, abs=0.01)


def test_something_missed_is_1_and_says_what(tmp_path: Path) -> None:
    code, out, _ = run(tmp_path, HEAD + NEVER)

    assert code == 1
    assert "MISSED  gas: GD-501.lel HH never came" in out
    assert "0 of 1 expectations met." in out


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (HEAD + NEVER.replace("GD-501", "GD-9"), "story.toml:6: expect[0].tag: Expectation gas: the site has no tag"),
        ("lasts_s = ", "is not valid TOML"),
        ('plant = "mars"\nlasts_s = 5\n', 'plant is "mars"'),
    ],
)
def test_what_cannot_be_played_is_2_with_line_and_remedy(body: str, said: str, tmp_path: Path) -> None:
    code, _, err = run(tmp_path, body)

    assert code == 2
    assert said in err
    assert "Remedy:" in err
    assert not (tmp_path / "out").exists()


def test_a_seed_below_0_and_a_name_that_there_is_not_are_2(tmp_path: Path) -> None:
    assert run(tmp_path, HEAD, "--seed", "-1")[0] == 2
    found = CliRunner().invoke(app, ["simulate", "bunce"])
    assert found.exit_code == 2
    assert "buncefield" in found.stderr


def test_results_that_cannot_be_written_are_2(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file", encoding="utf-8")
    code, _, err = run(tmp_path, HEAD + QUIET)

    assert code == 2
    assert "Give a folder that can be written to." in err


def test_a_suite_of_one_story_tells_its_score_and_leaves_a_table(tmp_path: Path) -> None:
    code, out, _ = run(tmp_path, HEAD + QUIET, "--suite", "--seed", "7", "--json")
    told = json.loads(out)

    assert (code, told["passed"], told["seeds"]) == (0, True, [7])
    assert [(story["name"], story["passed"], story["missed"]) for story in told["stories"]] == [("story", True, 0)]
    assert json.loads((tmp_path / "out/suite.json").read_text("utf-8")) == told
    assert "全部符合" in (tmp_path / "out/suite.html").read_text("utf-8")


def test_a_suite_with_mixes_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    more = ("--suite", "--seeds", "2", "--mixes", "--json")
    code, out, _ = run(tmp_path, HEAD + QUIET, *more)
    told = json.loads(out)
    kept = tmp_path / "out" / "runs" / "story.jsonl"
    lines = kept.read_text(encoding="utf-8").splitlines()

    assert code == 0
    assert [(each["seed"], each["mix"]) for each in told["stories"][0]["runs"]] == [
        (seed, mix) for seed in told["seeds"] for mix in ("as_written", "one_lies", "poor_line")
    ]
    assert set(told["stories"][0]["with_faults"]) == {"one_lies", "poor_line"}
    kept.write_text("\n".join(lines[:4]) + "\n", encoding="utf-8")
    _, again, _ = run(tmp_path, HEAD + QUIET, *more, "--resume")
    paces = [each["pace"] for each in told["stories"][0]["runs"]]
    gone_on = json.loads(again)

    assert gone_on["seeds"] == told["seeds"]
    assert [each["pace"] for each in gone_on["stories"][0]["runs"]][:4] == paces[:4], "not played again"
    assert len(kept.read_text(encoding="utf-8").splitlines()) == 6
    _, anew, _ = run(tmp_path, HEAD + QUIET, "--suite", "--seed", "5", "--json")
    assert json.loads(anew)["seeds"] == [5]
    assert len(kept.read_text(encoding="utf-8").splitlines()) == 1


def test_options_of_a_suite_without_one_and_seeds_that_are_none_are_refused(tmp_path: Path) -> None:
    assert run(tmp_path, HEAD + QUIET, "--mixes")[0] == 2
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "seeds.json").write_text('{"a": 1', encoding="utf-8")
    code, _, err = run(tmp_path, HEAD + QUIET, "--suite", "--resume")

    assert code == 2
    assert "is no list of seeds" in err


def test_no_scenario_and_no_suite_is_refused() -> None:
    found = CliRunner().invoke(app, ["simulate"])

    assert found.exit_code == 2
    assert "Which scenario?" in found.stderr
