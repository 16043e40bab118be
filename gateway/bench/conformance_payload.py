"""Published vectors of payloads: HJ 212-2017 (appendices A and C) and SenML (RFC 8428) against our codecs."""

import json
import math
from collections.abc import Iterator
from typing import Any, Final

from edge.decode.codec.hj212 import answer_of, crc_of, read_frame
from edge.decode.codec.senml import read_senml
from edge.decode.payload import NO_TIME, Batch, Refusal

ASKS: Final = 1  # Bit of Flag: the sender wants an answer (HJ 212-2017, table of the data segment).
RECEIVED_NS: Final = 1_900_000_000_000_000_000  # Later than every time of the vectors, which are absolute or none.
TIME_NS: Final = 1_000  # Times are printed to the millisecond; a double of seconds holds them to less than a µs.


def check_hj212(vectors: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Give (group, name, fault) of each vector; the fault is empty where we agree."""
    for one in vectors["frames"]:
        payload = one["frame"].encode("gb18030")
        is_right = bool(one["len_ok"] and one["crc_ok"])
        found = read_frame(payload)
        took = "" if isinstance(found, Refusal) is not is_right else f"we give {found}"
        yield "frame", one["source"], took
        made = f"{crc_of(payload[6:].rstrip()[:-4]):04X}"
        yield "crc", one["source"], "" if made == one["computed_crc"] else f"we make {made}"
    for one in vectors["appendix_C"]:
        if not one["complete"]:  # Printed with dots for what is left out: no frame.
            continue
        name, segment = f"{one['table']} {one['title']}", one["data_segment"]
        payload = one["derived_frame"].encode("gb18030")
        found = read_frame(payload)
        if not segment.endswith("&&"):  # Two segments printed as one: its command part does not end.
            yield "never", name, "" if isinstance(found, Refusal) else f"we give {found}"
            continue
        if isinstance(found, Refusal):
            yield "segment", name, f"we give {found}"
            continue
        said = (found.request, found.system, found.command, found.password, found.station)
        is_same = said == tuple(one[key] for key in ("QN", "ST", "CN", "PW", "MN"))
        if "Flag" in one:  # One is printed with a blank before it and told without.
            is_same = is_same and found.wants_answer == bool(int(one["Flag"]) & ASKS)
        yield "segment", name, "" if is_same else f"we read {said}"
        if one["CN"] == "9014":
            ours = read_frame(answer_of(found))
            fine = not isinstance(ours, Refusal) and (ours.command, ours.request) == ("9014", one["QN"])
            yield "answer", name, "" if fine else f"we answer {ours}"


def check_senml(vectors: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Give (group, name, fault) of each vector; the fault is empty where we agree."""
    for one in vectors["vectors"]:
        found = read_senml(json.dumps(one["pack"]).encode(), RECEIVED_NS)
        yield "pack", one["name"], _senml_fault(found, one["resolved"])
    for one in vectors["must_reject"]:
        found = read_senml(json.dumps(one["pack"]).encode(), RECEIVED_NS)
        yield "never", one["why"], "" if isinstance(found, Refusal) else f"we read {found}"


def _senml_fault(found: Batch | Refusal, wanted: list[dict[str, Any]]) -> str:
    if isinstance(found, Refusal):
        return f"we give {found}"
    if found.names != [record["n"] for record in wanted]:
        return f"we name {found.names}"
    if any(not math.isclose(a, record["v"]) for a, record in zip(found.values.tolist(), wanted, strict=True)):
        return f"we read {found.values.tolist()}"
    for time_ns, record in zip(found.times_ns.tolist(), wanted, strict=True):
        is_same = time_ns == NO_TIME if not record["t"] else abs(time_ns - record["t"] * 1e9) < TIME_NS
        if not is_same:
            return f"we read the time {time_ns} where {record['t']} s is meant"
    return ""
