"""Published register values, decoded; nothing here was written by our own encoder."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from edge.decode.registers import Placement, RegisterDecoder
from edge.model.quality import describe

VECTORS = json.loads((Path(__file__).parent / "modbus_words.json").read_text(encoding="utf-8"))["words"]


@pytest.mark.parametrize("order", ["ABCD", "CDAB", "BADC", "DCBA"])
@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: f"{v['type']}-{v['value']}")
def test_published_registers_give_the_published_value(vector: dict[str, object], order: str) -> None:
    registers = np.array([int(word, 16) for word in vector[order]], dtype=np.uint16)  # type: ignore[attr-defined]
    decoder = RegisterDecoder([Placement(start=0, answer=0, type=str(vector["type"]), order=order)])

    values, quality = decoder.decode(registers, np.zeros(1, dtype=np.uint8))

    if vector["value"] is None:
        assert math.isnan(values[0])
        assert describe(int(quality[0])) == "BAD(not_a_number)"
    else:
        assert values[0] == float(vector["value"])  # type: ignore[arg-type]
        assert describe(int(quality[0])) == "GOOD"


def test_the_examples_of_the_application_protocol() -> None:
    """V1.1b3, 6.3 and 6.4: registers 108-110 hold 555, 0, 100; input register 9 holds 10."""
    answers = np.array([0x022B, 0x0000, 0x0064, 0x000A], dtype=np.uint16)
    decoder = RegisterDecoder([Placement(start=s, answer=int(s == 3), type="uint16") for s in range(4)])

    values, _ = decoder.decode(answers, np.zeros(2, dtype=np.uint8))

    assert values.tolist() == [555.0, 0.0, 100.0, 10.0]
