"""OPC UA: codes and node ids beside an independent library's own tables, which are made from the standard's."""

import math
import re

import pytest
from asyncua import ua
from hypothesis import given
from hypothesis import strategies as st

from edge.decode.opcua import QUALITY, has_overflowed, quality_of, read_node, value_of
from edge.model.quality import describe

#: Names of OPC 10000-4 and 10000-8, and what each is here; codes come from the library.
NAMED = {
    "Good": "GOOD",
    "GoodClamped": "GOOD",
    "GoodLocalOverride": "UNCERTAIN(substituted)",
    "Uncertain": "UNCERTAIN(device)",
    "UncertainNoCommunicationLastUsableValue": "BAD(comms)",
    "UncertainLastUsableValue": "BAD(device)",
    "UncertainSubstituteValue": "UNCERTAIN(substituted)",
    "UncertainInitialValue": "UNCERTAIN(substituted)",
    "UncertainSensorNotAccurate": "UNCERTAIN(device)",
    "UncertainEngineeringUnitsExceeded": "UNCERTAIN(range)",
    "UncertainSubNormal": "UNCERTAIN(input)",
    "UncertainSimulatedValue": "UNCERTAIN(substituted)",
    "UncertainSensorCalibration": "UNCERTAIN(device)",
    "Bad": "BAD(device)",
    "BadConfigurationError": "BAD(exception)",
    "BadNotConnected": "BAD(comms)",
    "BadDeviceFailure": "BAD(device)",
    "BadSensorFailure": "BAD(device)",
    "BadOutOfService": "BAD(device)",
    "BadCommunicationError": "BAD(comms)",
    "BadTimeout": "BAD(timeout)",
    "BadShutdown": "BAD(comms)",
    "BadServerNotConnected": "BAD(comms)",
    "BadServerHalted": "BAD(comms)",
    "BadNoCommunication": "BAD(comms)",
    "BadWaitingForInitialData": "BAD(device)",
    "BadOutOfRange": "BAD(range)",
    "BadUserAccessDenied": "BAD(exception)",
    "BadNodeIdInvalid": "BAD(exception)",
    "BadNodeIdUnknown": "BAD(exception)",
    "BadAttributeIdInvalid": "BAD(exception)",
    "BadIndexRangeInvalid": "BAD(exception)",
    "BadIndexRangeNoData": "BAD(exception)",
    "BadNotReadable": "BAD(exception)",
    "BadNotSupported": "BAD(exception)",
    "BadTooManyMonitoredItems": "BAD(exception)",
}


@pytest.mark.parametrize("name", NAMED)
def test_each_named_code_has_its_quality(name: str) -> None:
    assert describe(quality_of(getattr(ua.StatusCodes, name))) == NAMED[name]


def test_no_code_of_the_table_is_left_out_above() -> None:
    assert {getattr(ua.StatusCodes, name) & 0xFFFF0000 for name in NAMED} >= set(QUALITY)


def test_every_code_of_the_standard_keeps_its_class_or_is_worse() -> None:
    codes = [code for name, code in vars(ua.StatusCodes).items() if re.match(r"(Good|Uncertain|Bad)", name)]
    assert len(codes) > 200
    for code in codes:
        assert quality_of(code) >> 6 >= code >> 30, ua.StatusCode(code).name


def test_the_reserved_class_is_bad() -> None:
    assert describe(quality_of(0xC000_0000)) == "BAD(device)"


def test_limit_bits_do_not_change_what_it_is() -> None:
    assert describe(quality_of(0x808C_0000 | 0x0400 | 0x0300)) == "BAD(device)"
    assert describe(quality_of(0x0000_0500)) == "GOOD"


def test_overflow_is_told_by_its_bit_in_a_data_value_only() -> None:
    assert has_overflowed(0x0000_0480)
    assert has_overflowed(0x808C_0480)
    assert not has_overflowed(0x0000_0080), "without the InfoType the bit means nothing"
    assert not has_overflowed(0x0000_0400)


@pytest.mark.parametrize(
    "text",
    ["i=2258", "ns=2;s=Tank.Level", "ns=3;i=4294967295", "ns=2;s=a;b=c", "ns=1;g=09087e75-8e5e-499b-954f-f2a9603db28a"],
)
def test_node_ids_are_those_of_the_library(text: str) -> None:
    node = read_node(text)
    assert node is not None
    assert ua.NodeId.from_string(node.written(node.index)) == ua.NodeId.from_string(text)


def test_a_namespace_may_be_named_by_its_uri() -> None:
    node = read_node("nsu=http://vendor.example/UA/;s=Tank;Level=1")
    assert node is not None
    assert (node.uri, node.kind, node.identifier) == ("http://vendor.example/UA/", "s", "Tank;Level=1")
    assert node.written(7) == "ns=7;s=Tank;Level=1"


@pytest.mark.parametrize(
    "text",
    ["", "Tank.Level", "ns=2", "ns=2;", "ns=2;s=", "ns=65536;i=1", "i=4294967296", "i=-1", "i=1.5", "ns=x;i=1", "g=12",
     "b=a", "i=٣", "s=" + "x" * 4097],
)  # fmt: skip
def test_what_is_no_node_id(text: str) -> None:
    assert read_node(text) is None


@given(st.text(max_size=40))
def test_any_text_is_a_node_id_or_none(text: str) -> None:
    node = read_node(text)
    assert node is None or read_node(node.written(max(node.index, 0))) is not None


@pytest.mark.parametrize(
    ("found", "status", "expected"),
    [
        (4.5, 0, (4.5, "GOOD")),
        (True, 0, (1.0, "GOOD")),
        (2**60, 0, (float(2**60), "GOOD")),
        ("12.5", 0, (12.5, "GOOD")),
        (7.0, 0x4094_0000, (7.0, "UNCERTAIN(range)")),
        (7.0, 0x808C_0000, (math.nan, "BAD(device)")),
        (math.nan, 0, (math.nan, "BAD(not_a_number)")),
        (None, 0, (math.nan, "BAD(device)")),
        ([1.0], 0, (math.nan, "BAD(malformed)")),
        (b"x", 0, (math.nan, "BAD(malformed)")),
        ("RUN", 0, (math.nan, "BAD(malformed)")),
    ],
)
def test_values(found: object, status: int, expected: tuple[float, str]) -> None:
    value, quality = value_of(found, status, {})
    assert (pytest.approx(value, nan_ok=True), describe(quality)) == (expected[0], expected[1])


def test_a_text_means_what_its_map_says() -> None:
    texts = {"RUN": 1.0, "STOP": 0.0}
    assert value_of(" RUN ", 0, texts) == (1.0, 0)
    assert describe(value_of("TRIP", 0, texts)[1]) == "BAD(unmapped)"
