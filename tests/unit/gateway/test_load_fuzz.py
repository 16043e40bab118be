"""Whatever is written into a site's files, loading it gives a site or a ConfigError, and never anything else."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.load import ConfigError, Mistake, load

EXAMPLE = Path("config/example")
FILES = sorted(path.relative_to(EXAMPLE) for path in EXAMPLE.rglob("*") if path.suffix in (".toml", ".csv"))
ENVIRON = {"FENGSUI_DISTRICT_SECRET": "whsec_" + "c2VjcmV0" * 5, "FENGSUI_MQTT_PASSWORD": "x"}

#: What tends to break readers: numbers without end, brackets, quotes, control signs, text from right to left.
SPICES = [
    "nan", "inf", "-1", "0", "1e308", "9" * 400, "0x" + "f" * 5000, "1e999", "[", "]", "{", "}", "{tag}", "{pump}", '"',
    "'", '"""', "\n", "\r\n", "\r", "\x00", "\x1b[31m", "\u202e", "\ufeff", ",", ";", "=", ".", "#", "+", "/", "..",
    "true", "[]", "{}", "[[1]]", '"x"', "1979-05-27", "[site]", "[[source]]", "[" * 3000, "\\", "whsec_", "液",
    "fengsui", "id = 1\n", "tags = [1]\n", "topic = 5\n", "[source.topic]\n", "unit = {}\n", "site = 3\n",
    "title = 3\n",
]  # fmt: skip

EDIT = st.tuples(
    st.floats(0, 1, exclude_max=True),
    st.integers(0, 40),
    st.one_of(st.sampled_from(SPICES), st.text(max_size=8), st.binary(max_size=4)),
)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def edited(text: bytes, edits: list[tuple[float, int, str | bytes]]) -> bytes:
    for where, removed, put in edits:
        at = int(where * len(text))
        raw = put.encode("utf-8", "surrogatepass") if isinstance(put, str) else put
        text = text[:at] + raw + text[at + removed :]
    return text


def judge(path: Path) -> None:
    """Load a site, and judge what comes of it."""
    mistakes: list[Mistake] = []
    try:
        assert len(load(path, environ=ENVIRON).tags)
    except ConfigError as error:
        mistakes = error.mistakes
    for mistake in mistakes:
        assert mistake.line >= 1
        assert mistake.remedy
        assert f"{mistake.file}{mistake.path}{mistake.sentence}{mistake.remedy}".isprintable(), mistake


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(name=st.sampled_from(FILES), edits=st.lists(EDIT, min_size=1, max_size=4))
def test_random_edits_never_raise_anything_else(
    folder: Path, name: Path, edits: list[tuple[float, int, str | bytes]]
) -> None:
    shutil.copytree(EXAMPLE, folder, dirs_exist_ok=True)
    (folder / name).write_bytes(edited((EXAMPLE / name).read_bytes(), edits))
    judge(folder / "site.toml")


VALUE = st.recursive(
    st.sampled_from(["1", "-1", "nan", "1e400", "true", '""', '"x"', '"{pump}"', "0x" + "f" * 600, "07:32:00"]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: "[" + ", ".join(items) + "]"),
        st.lists(inner, max_size=3).map(
            lambda items: "{ " + ", ".join(f"{k} = {v}" for k, v in zip(("id", "en", "x"), items, strict=False)) + " }"
        ),
    ),
    max_leaves=4,
)
LINES = (EXAMPLE / "site.toml").read_text("utf-8").splitlines()
KEYED = [at for at, line in enumerate(LINES) if " = " in line]


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(at=st.sampled_from(KEYED), value=VALUE)
def test_any_value_at_any_key_never_raises_anything_else(folder: Path, at: int, value: str) -> None:
    """Valid TOML with a value of another type, which random bytes rarely give."""
    shutil.copytree(EXAMPLE, folder, dirs_exist_ok=True)
    lines = [*LINES[:at], LINES[at].split(" = ")[0] + f" = {value}", *LINES[at + 1 :]]
    (folder / "site.toml").write_text("\n".join(lines), "utf-8")
    judge(folder / "site.toml")
