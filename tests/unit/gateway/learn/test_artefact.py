"""The artefact of ``fengsui learn`` is read as it was written, and refused where it is anything else."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alerting.model.learned import Learned, Threshold, as_json, digest_of_tags
from edge.model import Tag
from gateway.learn.artefact import ArtefactError, read, write

LEARNED = Learned(
    site="plant",
    config="c" * 64,
    tags="t" * 32,
    recording="june.csv",
    from_ns=1_700_000_000_000_000_000,
    to_ns=1_702_000_000_000_000_000,
    seed=1,
    per_year=1.0,
    rules=(
        Threshold(
            rule="G-1.DRIFT", kind="DRIFT", shape="s" * 32, value=5.5, low=5.0, high=6.5, now=6.0, days=20.5,
            peaks=48, tail=0.1, alarms_now=0, alarms_then=1,
        ),
        Threshold(rule="G-2.DRIFT", kind="DRIFT", shape="s" * 32, refused={"en": "Too short.", "zh": "太短。"}),
    ),
    models=({"name": "pca", "tags": ["a", "b"], "mean": [1.0, 2.0]},),
)  # fmt: skip


def changed(**parts: Any) -> str:  # noqa: ANN401
    return json.dumps({**as_json(LEARNED), **parts})


def test_what_is_written_is_read(tmp_path: Path) -> None:
    file = tmp_path / "learned.json"
    write(file, LEARNED)

    assert read(file.read_text("utf-8")) == LEARNED
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "not JSON"),
        ("[]", "no artefact"),
        (changed(format="fengsui-backtest/1"), "no artefact"),
        (changed(version=2), "version 2"),
        (changed(version=None), "version None"),
        (changed(site=3), "site is not"),
        (changed(per_year=True), "per_year is not"),
        (changed(rules={}), "rules is not"),
        (changed(rules=[{}]), "rule is missing"),
        (changed(models=[1]), "models is not"),
        (changed(models=[{"tags": []}]), "models is not"),
        (changed(models=[{"name": "m", "refused": "no"}]), "models is not"),
        (json.dumps(as_json(LEARNED)).replace("5.5", "NaN"), "not JSON"),
        (json.dumps(as_json(LEARNED)).replace("5.5", "1e999"), "value is not"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_anything_else_is_refused_with_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ArtefactError, match=sentence):
        read(text)


def test_the_digest_of_tags_sees_what_matters_and_no_order() -> None:
    tags = [Tag(name="a", source="s", kind="gas"), Tag(name="b", source="s", kind="level")]
    same = digest_of_tags(tags)

    assert digest_of_tags(reversed(tags)) == same
    assert digest_of_tags([replace(tags[0], title={"en": "A"}), tags[1]]) == same
    for other in (replace(tags[0], name="c"), replace(tags[0], period_s=2.0), replace(tags[0], eu="ppm")):
        assert digest_of_tags([other, tags[1]]) != same
    assert digest_of_tags(tags[:1]) != same
