"""A million segments of HJ 212 in frames whose length and checksum hold, and a million payloads of Sparkplug."""

from edge.decode.payload import Batch, Refusal
from tests.mutator import mutated
from tests.unit.edge.decode.test_codecs import decoders

FRAMES = 1_000_000


def test_a_million_metrics_are_read_or_refused() -> None:
    decode, samples = decoders()["sparkplug"]
    refused = 0
    for payload in mutated(samples, 214, FRAMES):
        found = decode(payload)
        assert isinstance(found, Batch | Refusal), payload
        refused += isinstance(found, Refusal)
    assert FRAMES // 1000 < refused < FRAMES


def test_a_million_segments_are_read_or_refused() -> None:
    decode, samples = decoders()["hj212"]
    refused = 0
    for payload in mutated(samples, 213, FRAMES):
        found = decode(payload)
        assert isinstance(found, Batch | Refusal), payload
        refused += isinstance(found, Refusal)
    assert FRAMES // 1000 < refused < FRAMES
