"""One folder per mistake: what the user must read, word for word."""

from pathlib import Path

import pytest

from edge.load.node import is_node_file, load_node
from gateway.load import ConfigError, load

CASES = sorted((Path(__file__).parents[2] / "golden" / "config").iterdir())
ENVIRON = {
    "FENGSUI_DISTRICT_SECRET": "whsec_" + "c2VjcmV0" * 5,
    "FENGSUI_PLAIN": "hunter2",
    "FENGSUI_CLEAR": "ntfy://tk_hunter2@ntfy.example/{room}",
    "FENGSUI_BLIND": "ntfys://192.168.1.9/room?verify=no",
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_mistake(case: Path) -> None:
    path = case / "site.toml"
    with pytest.raises(ConfigError) as caught:
        load_node(path, environ=ENVIRON) if is_node_file(path) else load(path, environ=ENVIRON)
    assert str(caught.value).replace(f"{case}/", "") + "\n" == (case / "expected.txt").read_text("utf-8")
    assert "hunter2" not in str(caught.value)


def test_there_are_cases() -> None:
    assert len(CASES) > 100
