"""The read planner: few requests, no value torn apart, nothing read that is not wanted."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.collect.modbus.address import RegisterAddress, address_of
from edge.collect.modbus.plan import ReadPlan, plan_class, plan_device
from edge.config import ModbusOptions
from edge.model import Tag, TagTable

OPTIONS = ModbusOptions(host="x")


def at(register: int, kind: str = "uint16", table: str = "holding") -> RegisterAddress:
    return RegisterAddress(table=table, register=register, type=kind)  # type: ignore[arg-type]


def requests_of(addresses: list[RegisterAddress], options: ModbusOptions = OPTIONS) -> list[tuple[str, int, int]]:
    plan = plan_class(1.0, list(range(len(addresses))), addresses, options)
    return [(r.table, r.address, r.count) for r in plan.requests]


def test_neighbours_are_one_request() -> None:
    assert requests_of([at(4), at(0, "float32"), at(2, "float32")]) == [("holding", 0, 5)]


def test_a_gap_is_read_along_up_to_its_limit() -> None:
    assert requests_of([at(0), at(17)]) == [("holding", 0, 18)]
    assert requests_of([at(0), at(18)]) == [("holding", 0, 1), ("holding", 18, 1)]
    assert requests_of([at(0), at(2)], ModbusOptions(host="x", gap_max=0)) == [("holding", 0, 1), ("holding", 2, 1)]


def test_a_value_is_never_read_in_two_requests() -> None:
    """Registers 0…123 and a float at 124: the 125th register would be half a float."""
    addresses = [at(r) for r in range(124)] + [at(124, "float32")]
    assert requests_of(addresses) == [("holding", 0, 124), ("holding", 124, 2)]


def test_no_request_is_larger_than_the_protocol_or_the_device_allows() -> None:
    assert requests_of([at(r) for r in range(250)]) == [("holding", 0, 125), ("holding", 125, 125)]
    options = ModbusOptions(host="x", registers_max=200)
    assert requests_of([at(r) for r in range(250)], options) == [("holding", 0, 125), ("holding", 125, 125)]
    options = ModbusOptions(host="x", registers_max=10)
    assert [count for _, _, count in requests_of([at(r) for r in range(25)], options)] == [10, 10, 5]
    bits = [at(r, "bit", "coil") for r in range(2_001)]
    assert requests_of(bits) == [("coil", 0, 2_000), ("coil", 2_000, 1)]


def test_tables_are_apart_and_bits_of_one_register_are_one_read() -> None:
    addresses = [at(7, "bit", "input"), at(7, "bit", "input"), at(7), at(7, "bit", "discrete"), at(7, "bit", "coil")]
    assert requests_of(addresses) == [("coil", 7, 1), ("discrete", 7, 1), ("holding", 7, 1), ("input", 7, 1)]


def test_a_value_wider_than_the_device_allows_is_told() -> None:
    with pytest.raises(ValueError, match="at least 4"):
        requests_of([at(0, "float64")], ModbusOptions(host="x", registers_max=2))


def test_scan_classes_are_planned_apart_fastest_first() -> None:
    tags = TagTable(
        [
            Tag(name="a", source="d", period_s=10.0, address={"register": 0}),
            Tag(name="b", source="d", period_s=0.5, address={"register": 1}),
            Tag(name="other", source="e", period_s=0.5, address={"register": 2}),
            Tag(name="c", source="d", period_s=10.0, address={"register": 2, "type": "float32"}),
        ]
    )
    plans = plan_device(tags, "d", OPTIONS)
    assert [(p.period_s, p.rows.tolist(), [r.count for r in p.requests]) for p in plans] == [
        (0.5, [1], [1]),
        (10.0, [0, 3], [4]),
    ]


addresses_strategy = st.lists(
    st.builds(
        at,
        st.integers(0, 60),
        st.sampled_from(["uint16", "float32", "float64", "bit"]),
        st.sampled_from(["holding", "input"]),
    ),
    min_size=1,
    max_size=20,
)


def check_promises(plan: ReadPlan, options: ModbusOptions) -> None:
    for member, address in enumerate(plan.addresses):
        request = plan.requests[plan.request_of[member]]
        assert request.table == address.table
        assert request.address <= address.register
        assert address.register + address.words <= request.address + request.count
    for index, request in enumerate(plan.requests):
        assert 1 <= request.count <= options.registers_max
        wanted = np.zeros(request.count, dtype=bool)
        for member in np.flatnonzero(plan.request_of == index):
            address = plan.addresses[member]
            wanted[address.register - request.address :][: address.words] = True
        gap = 0
        for is_wanted in wanted:
            gap = 0 if is_wanted else gap + 1
            assert gap <= options.gap_max
        assert wanted[0]
        assert wanted[-1]
    assert plan.starts.tolist() == np.cumsum([0, *(r.count for r in plan.requests)]).tolist()


@given(addresses_strategy, st.integers(4, 20), st.integers(0, 6))
def test_every_plan_keeps_its_promises(addresses: list[RegisterAddress], registers_max: int, gap_max: int) -> None:
    options = ModbusOptions(host="x", registers_max=registers_max, gap_max=gap_max)
    check_promises(plan_class(1.0, list(range(len(addresses))), addresses, options), options)


def fewest(addresses: list[RegisterAddress], options: ModbusOptions) -> int:
    """Give the least number of requests for one table by trying every way to cut the sorted values."""
    spans = sorted({(a.register, a.register + a.words) for a in addresses})

    def is_allowed(part: list[tuple[int, int]]) -> bool:
        end = part[0][1]
        for first, last in part:
            if first > end + options.gap_max:
                return False
            end = max(end, last)
        return end - part[0][0] <= options.registers_max

    @cache
    def best(start: int) -> int:
        if start == len(spans):
            return 0
        return 1 + min(best(cut) for cut in range(start + 1, len(spans) + 1) if is_allowed(spans[start:cut]))

    return best(0)


@given(
    st.lists(
        st.builds(at, st.integers(0, 60), st.sampled_from(["uint16", "float32", "float64"])), min_size=1, max_size=14
    ),
    st.integers(4, 20),
    st.integers(0, 6),
)
def test_no_plan_is_shorter(addresses: list[RegisterAddress], registers_max: int, gap_max: int) -> None:
    options = ModbusOptions(host="x", registers_max=registers_max, gap_max=gap_max)
    assert len(requests_of(addresses, options)) <= fewest(addresses, options)


@given(addresses_strategy, st.data())
@settings(max_examples=50)
def test_splitting_ends_with_one_place_a_request_and_loses_no_tag(
    addresses: list[RegisterAddress], data: st.DataObject
) -> None:
    options = ModbusOptions(host="x", registers_max=20)
    plan = plan_class(1.0, list(range(len(addresses))), addresses, options)
    for _ in range(100):
        candidates = [r for r in range(len(plan.requests)) if plan.can_split(r)]
        if not candidates:
            break
        before = len(plan.requests)
        plan = plan.split(data.draw(st.sampled_from(candidates)))
        assert len(plan.requests) == before + 1
    else:
        pytest.fail("splitting does not end")
    assert len(plan.rows) == len(addresses)
    check_promises(plan, ModbusOptions(host="x", registers_max=20, gap_max=20))


@pytest.mark.parametrize(
    ("cells", "sentence"),
    [
        ({}, "register is missing"),
        ({"register": 1, "table": "output"}, "table 'output' is none of"),
        ({"register": 1, "type": "float24"}, "type 'float24' is none of"),
        ({"register": 1, "order": "BA"}, "order 'BA' is none of"),
        ({"register": 1, "table": "coil", "type": "int16"}, "type must be bit"),
        ({"register": 65535, "type": "float32"}, "not within"),
        ({"register": -1}, "not within"),
    ],
)
def test_an_address_that_cannot_be_read_is_told_with_the_tag(cells: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=f"T-1: .*{sentence}"):
        address_of(Tag(name="T-1", source="d", address=cells))


def test_a_coil_is_a_bit_by_itself() -> None:
    address = address_of(Tag(name="T-1", source="d", address={"table": "coil", "register": 3, "bit": 4}))
    assert (address.type, address.bit, address.words) == ("bit", 0, 1)
