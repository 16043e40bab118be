"""Frames against published examples, against pymodbus' CRC, and against everything that can come over a line."""

import time
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.framer.rtu import FramerRTU

from edge.collect.modbus.frame import (
    RTU_MAX,
    Asked,
    Failure,
    Framing,
    RtuFraming,
    TcpFraming,
    Words,
    answer,
    crc16,
    is_sealed,
    request,
)
from edge.model import Reason

HOLDING = Asked(17, "holding", 107, 3)
THREE = bytes.fromhex("0306022b00000064")
MUTATED = 1_000_000
CPU_S_MAX = 30.0  # 10 s on a machine of its own.


def sealed(unit: int, pdu: bytes) -> bytes:
    """Make an RTU frame with pymodbus' CRC."""
    frame = bytes([unit]) + pdu
    return frame + FramerRTU.compute_CRC(frame).to_bytes(2, "big")


def headed(unit: int, pdu: bytes, transaction: int = 1) -> bytes:
    return transaction.to_bytes(2, "big") + b"\0\0" + (len(pdu) + 1).to_bytes(2, "big") + bytes([unit]) + pdu


def listed(found: Words | Failure | None) -> list[int]:
    assert isinstance(found, np.ndarray), found
    return list(found.tolist())


# Modbus application protocol V1.1b3, 6.1 to 6.4: the examples, to unit 17; the CRCs by pymodbus.
PUBLISHED = [
    (Asked(17, "coil", 19, 19), "0100130013", "0103cd6b05", [(0x05_6B_CD >> bit) & 1 for bit in range(19)]),
    (Asked(17, "discrete", 196, 22), "0200c40016", "0203acdb35", [(0x35_DB_AC >> bit) & 1 for bit in range(22)]),
    (HOLDING, "03006b0003", "0306022b00000064", [555, 0, 100]),
    (Asked(17, "input", 8, 1), "0400080001", "0402000a", [10]),
]


@pytest.mark.parametrize(("asked", "request_hex", "answer_hex", "want"), PUBLISHED)
def test_the_published_examples_byte_for_byte(asked: Asked, request_hex: str, answer_hex: str, want: list[int]) -> None:
    pdu, reply = bytes.fromhex(request_hex), bytes.fromhex(answer_hex)
    assert request(asked) == pdu
    assert listed(answer(asked, reply)) == want
    tcp, rtu = TcpFraming(), RtuFraming()
    assert tcp.wrap(asked) == headed(17, pdu)
    assert listed(tcp.feed(headed(17, reply))) == want
    assert rtu.wrap(asked) == sealed(17, pdu)
    assert listed(rtu.feed(sealed(17, reply))) == want


@pytest.mark.parametrize(
    ("data", "wire"),
    [
        ("0207", "4112"),  # Modbus over serial line V1.02, 6.2.2: the example of the CRC.
        (b"123456789".hex(), "374b"),  # Check value 0x4B37 of CRC-16/MODBUS in the catalogue of parametrised CRCs.
    ],
)
def test_published_crcs(data: str, wire: str) -> None:
    assert crc16(bytes.fromhex(data)).to_bytes(2, "little").hex() == wire
    assert is_sealed(bytes.fromhex(data + wire))


@given(st.binary(max_size=300))
def test_the_crc_is_the_one_of_pymodbus(data: bytes) -> None:
    assert crc16(data).to_bytes(2, "little") == FramerRTU.compute_CRC(data).to_bytes(2, "big")


def test_the_reply_of_another_unit_is_never_taken_for_ours() -> None:
    rtu = RtuFraming()
    rtu.wrap(HOLDING)
    assert rtu.feed(sealed(18, THREE)) is None
    assert rtu.strays == 11
    assert listed(rtu.feed(sealed(17, THREE))) == [555, 0, 100]
    tcp = TcpFraming()
    tcp.wrap(HOLDING)
    assert tcp.feed(headed(18, THREE)) == Failure(reason=Reason.MALFORMED)


def test_both_replies_in_one_piece() -> None:
    rtu = RtuFraming()
    rtu.wrap(HOLDING)
    assert listed(rtu.feed(sealed(18, THREE) + sealed(17, THREE) + sealed(17, THREE))) == [555, 0, 100]
    assert rtu.strays == 22, "the other unit's and the second copy"


def test_a_second_copy_is_no_answer_to_the_next_request() -> None:
    for framing, twice in ((TcpFraming(), headed(17, THREE) * 2), (RtuFraming(), sealed(17, THREE) * 2)):
        framing.wrap(HOLDING)
        assert listed(framing.feed(twice)) == [555, 0, 100]
        framing.wrap(HOLDING)
        assert framing.feed(b"") is None
        assert framing.strays == len(twice) // 2


def test_an_echo_of_our_own_request_is_passed_over() -> None:
    """Two-wire adapters give back what they send."""
    for asked in (HOLDING, Asked(17, "holding", 0x0300, 3), Asked(17, "holding", 0xFF00, 3), Asked(3, "coil", 3, 3)):
        rtu = RtuFraming()
        echo = rtu.wrap(asked)
        pdu = bytes([asked.function, asked.size]) + bytes(range(1, asked.size + 1))
        assert rtu.feed(echo) is None
        assert isinstance(rtu.feed(sealed(asked.unit, pdu)), np.ndarray), asked


def test_noise_before_an_answer_is_passed_over() -> None:
    for noise in (b"\0", b"\xff\xff", b"\x11\x03", b"\x11\x83\x02", b"\x11\x03\xfa", bytes(range(64))):
        rtu = RtuFraming()
        rtu.wrap(HOLDING)
        assert listed(rtu.feed(noise + sealed(17, THREE))) == [555, 0, 100], noise


def test_an_answer_torn_on_the_line_is_malformed_at_once() -> None:
    rtu = RtuFraming()
    rtu.wrap(HOLDING)
    torn = bytearray(sealed(17, THREE))
    torn[4] ^= 0x10
    assert rtu.feed(bytes(torn)) == Failure(reason=Reason.MALFORMED)


def test_an_exception_is_told_with_its_code() -> None:
    for framing, frame in ((RtuFraming(), sealed(17, b"\x83\x02")), (TcpFraming(), headed(17, b"\x83\x02"))):
        framing.wrap(HOLDING)
        found = framing.feed(frame)
        assert found == Failure(reason=Reason.EXCEPTION, code=2)
        assert isinstance(found, Failure)
        assert found.is_refusal


def test_heartbeats_between_frames_are_no_strays() -> None:
    beat = b"\xfe\xfeHB"
    for framing, frame in ((RtuFraming(beat), sealed(17, THREE)), (TcpFraming(beat), headed(17, THREE))):
        assert framing.feed(beat) is None
        framing.wrap(HOLDING)
        assert framing.feed(beat) is None
        assert listed(framing.feed(beat + frame + beat)) == [555, 0, 100]
        assert framing.strays in (0, len(beat)), "what follows an answer is not looked at"
        assert not framing.is_lost


def test_a_header_that_cannot_be_ends_the_connection() -> None:
    for header in ("0001000100061103", "0001000000011103", "0001000000ff1103", "474554202f20"):
        tcp = TcpFraming()
        tcp.wrap(HOLDING)
        assert tcp.feed(bytes.fromhex(header)) == Failure(reason=Reason.MALFORMED)
        assert tcp.is_lost


@given(
    frames=st.lists(st.sampled_from(["ours", "other unit", "exception", "noise", "torn"]), max_size=6),
    cuts=st.lists(st.integers(1, 9), max_size=30),
    is_rtu=st.booleans(),
)
def test_how_bytes_are_cut_into_pieces_changes_nothing(frames: list[str], cuts: list[int], is_rtu: bool) -> None:
    made = {
        "ours": sealed(17, THREE) if is_rtu else headed(17, THREE),
        "other unit": sealed(18, THREE) if is_rtu else headed(18, THREE, 7),
        "exception": sealed(17, b"\x83\x0b") if is_rtu else headed(17, b"\x83\x0b"),
        "noise": b"\xff\x00\x17" if is_rtu else headed(17, b"\x10\x00", 9),
        "torn": sealed(18, THREE)[:-2] + b"\0\0" if is_rtu else headed(17, THREE[:-1], 3),
    }
    stream = b"".join(made[name] for name in frames)

    def first(pieces: list[bytes]) -> object:
        framing: Framing = RtuFraming() if is_rtu else TcpFraming()
        framing.wrap(HOLDING)
        for piece in pieces:
            found = framing.feed(piece)
            if found is not None:
                return found.tolist() if isinstance(found, np.ndarray) else found
        return None

    pieces, rest = [], stream
    for cut in cuts:
        pieces.append(rest[:cut])
        rest = rest[cut:]
    assert first([*pieces, rest]) == first([stream])


@given(chunks=st.lists(st.binary(max_size=400), max_size=8), is_rtu=st.booleans())
def test_whatever_comes_nothing_raises_and_little_is_kept(chunks: list[bytes], is_rtu: bool) -> None:
    framing: Framing = RtuFraming(b"beat") if is_rtu else TcpFraming(b"beat")
    for chunk in chunks:
        framing.feed(chunk)
        framing.wrap(HOLDING)
        framing.feed(chunk)
        assert len(framing._buffer) <= 2 * RTU_MAX + 400  # type: ignore[attr-defined]  # noqa: SLF001 - the bound itself
        framing.forget()


# ------------------------------------------------------------------------------------------------- the seeded mutator


def mutate(frame: bytes, count: int, generator: np.random.Generator) -> list[bytes]:
    """Give many copies of a frame: bytes changed, cut, doubled, or left alone."""
    table = np.tile(np.frombuffer(frame, dtype=np.uint8), (count, 1))
    for _ in range(3):
        rows = np.flatnonzero(generator.random(count) < 0.5)
        table[rows, generator.integers(len(frame), size=len(rows))] = generator.integers(
            256, size=len(rows), dtype=np.uint8
        )
    lengths = np.where(generator.random(count) < 0.2, generator.integers(len(frame) + 1, size=count), len(frame))
    whole = table.tobytes()
    size = len(frame)
    return [whole[at * size : at * size + length] for at, length in enumerate(lengths.tolist())]


def right_words(frame: bytes, *, is_rtu: bool) -> list[int] | None:
    """Read a frame by the book, without our code; None where it answers nothing."""
    if is_rtu:
        if len(frame) != 11 or frame[:3] != b"\x11\x03\x06":
            return None
        if FramerRTU.compute_CRC(frame[:-2]).to_bytes(2, "big") != frame[-2:]:
            return None
        data = frame[3:9]
    else:
        if frame[:9] != bytes.fromhex("000100000009110306") or len(frame) != 15:
            return None
        data = frame[9:]
    return [int.from_bytes(data[at : at + 2], "big") for at in (0, 2, 4)]


@pytest.mark.slow
@pytest.mark.parametrize("is_rtu", [True, False], ids=["rtu", "tcp"])
def test_a_million_mutated_frames_give_a_refusal_or_the_right_value(is_rtu: bool) -> None:
    """Not one exception, not one wrong word, no memory that grows."""
    frame = sealed(17, THREE) if is_rtu else headed(17, THREE)
    began_s = time.process_time()
    told: Counter[str] = Counter()
    frames = mutate(frame, MUTATED, np.random.default_rng(4))
    make = RtuFraming if is_rtu else TcpFraming
    framing: Framing = make()
    for mutated in frames:
        framing.wrap(HOLDING)
        if not is_rtu:
            framing._transaction = 1  # type: ignore[attr-defined]  # noqa: SLF001 - that of the frame
        found = framing.feed(mutated)
        if isinstance(found, np.ndarray):
            told["words"] += 1
            assert found.tolist() == right_words(mutated, is_rtu=is_rtu), mutated.hex()
        elif found is None:
            told["nothing"] += 1
            assert mutated != frame
        else:
            told[found.reason.name] += 1
            assert mutated != frame
        if not is_rtu:  # A torn frame takes its connection with it.
            framing = make()
    spent_s = time.process_time() - began_s
    print(f"{'rtu' if is_rtu else 'tcp'}: {dict(told)} in {spent_s:.1f} s of processor time")
    assert sum(told.values()) == MUTATED
    assert told["words"] > MUTATED / 20
    assert told["MALFORMED"] > 0
    assert spent_s < CPU_S_MAX


def test_a_torn_heartbeat_is_waited_for() -> None:
    framing = TcpFraming(b"HEARTBEAT!")
    framing.wrap(HOLDING)
    assert framing.feed(b"HEARTBEA") is None
    assert not framing.is_lost
    assert listed(framing.feed(b"T!" + headed(17, THREE))) == [555, 0, 100]


@pytest.mark.parametrize("pattern", [b"\x03\x03\xff", b"\x11\x03\xfa"])
def test_a_flood_costs_little_and_is_counted(pattern: bytes) -> None:
    framing = RtuFraming()
    framing.wrap(Asked(17, "holding", 0, 125))
    start = time.process_time()
    assert not isinstance(framing.feed(pattern * 87_000), np.ndarray)
    assert time.process_time() - start < 0.5  # 0.01 s on a machine of its own; 3 s if all of it is looked through
    assert framing.strays > 65_536
