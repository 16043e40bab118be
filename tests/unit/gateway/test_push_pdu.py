"""PDUs of short messages: what we write is read by a library of others, what we read are vectors of others."""

from io import StringIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smspdudecoder.easy import read_outgoing_sms
from smspdudecoder.fields import SMSSubmit

from gateway.push.pdu import Report, octets, read_report, segments, submits


def test_a_short_text_is_one_pdu_that_others_read() -> None:
    (pdu,) = submits("+8613800000000", "液位 4.31 m ≥ 4.20 m", reference=7, is_report_wanted=True)
    assert read_outgoing_sms(pdu) == {"recipient": "+8613800000000", "content": "液位 4.31 m ≥ 4.20 m"}
    told = SMSSubmit.decode(StringIO(pdu))
    assert told["header"]["srr"]
    assert octets(pdu) == len(pdu) // 2 - 1


def test_the_octets_are_those_of_the_standard() -> None:
    """Written by hand after TS 23.040, 9.2.2.2: kind, reference, address, protocol, coding, validity, length, text."""
    (pdu,) = submits("13800000000", "红", reference=0, is_report_wanted=False)
    assert pdu == "00" + "11" + "00" + "0B81" + "3108000000F0" + "00" + "08" + "A7" + "02" + "7EA2"


def test_a_long_text_is_in_segments_with_their_places() -> None:
    text = "甲" * 66 + "😀" + "乙" * 70
    pdus = submits("13800000000", text, reference=300, is_report_wanted=True)
    told = [SMSSubmit.decode(StringIO(pdu)) for pdu in pdus]
    heads = [one["user_data"]["header"]["elements"][0]["data"] for one in told]
    assert heads == [{"reference": 44, "parts_count": 3, "part_number": place} for place in (1, 2, 3)]
    assert [len(one["user_data"]["data"].encode("utf-16-be")) // 2 for one in told] == [66, 67, 5], "no sign is cut"
    assert "".join(one["user_data"]["data"] for one in told) == text
    assert all(octets(pdu) <= 164 for pdu in pdus), "what AT+CMGS may be told"


@pytest.mark.parametrize(("units", "count"), [(1, 1), (70, 1), (71, 2), (134, 2), (135, 3)])
def test_segments_are_as_many_as_networks_charge(units: int, count: int) -> None:
    assert len(segments("字" * units)) == count


@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=400), st.from_regex(r"\+?[0-9]{3,15}", fullmatch=True)
)
@settings(max_examples=60)
def test_whatever_is_written_is_read_by_others(text: str, number: str) -> None:
    pdus = submits(number, text, reference=1, is_report_wanted=True)
    told = [SMSSubmit.decode(StringIO(pdu)) for pdu in pdus]
    assert "".join(one["user_data"]["data"] for one in told) == text
    assert {one["recipient"]["number"] for one in told} == {number.removeprefix("+")}


@pytest.mark.parametrize("number", ["", "+", "110x", "1" * 21, "١٢٣"])
def test_what_is_no_number_is_refused(number: str) -> None:
    with pytest.raises(ValueError, match="no telephone number"):
        submits(number, "x", reference=0, is_report_wanted=False)


def test_a_text_beyond_255_segments_is_refused() -> None:
    with pytest.raises(ValueError, match="255 are the most"):
        submits("110", "x" * (67 * 255 + 1), reference=0, is_report_wanted=False)


@pytest.mark.parametrize(
    ("pdu", "report"),
    [
        # Both from the tests of python-messaging (test_decoding_delivery_status_report).
        (
            "0791538375000075061805810531F1019082416500400190824165004000",
            Report(reference=24, number="50131", status=0),
        ),
        ("00060505810531F1010150610000400101506100004000", Report(reference=5, number="50131", status=0)),
    ],
)
def test_status_reports_of_others_are_read(pdu: str, report: Report) -> None:
    assert read_report(pdu) == report


@pytest.mark.parametrize(
    ("status", "is_done", "is_over"),
    [(0x00, True, True), (0x02, True, True), (0x20, False, False), (0x30, False, False), (0x41, False, True),
     (0x46, False, True), (0x60, False, True)],
)  # fmt: skip
def test_a_status_is_done_tried_or_given_up(status: int, is_done: bool, is_over: bool) -> None:
    one = Report(reference=1, number="110", status=status)
    assert (one.is_done, one.is_over) == (is_done, is_over)


@pytest.mark.parametrize("pdu", ["", "00", "0006", "zz", "00060505810531F101015061000040", "0004" + "00" * 20])
def test_what_is_no_report_is_refused(pdu: str) -> None:
    with pytest.raises(ValueError, match=r"cut short|no status report|non-hexadecimal"):
        read_report(pdu)
