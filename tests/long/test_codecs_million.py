"""A million segments of HJ 212, all in frames whose length and checksum hold; CI has an eighth of its million so."""

from edge.decode.codec.hj212 import read_hj212
from edge.decode.payload import Batch, Refusal
from tests.mutator import mutated
from tests.unit.edge.decode.test_codecs import decoders, framed

FRAMES = 1_000_000


def test_a_million_segments_are_read_or_refused() -> None:
    _, samples = decoders()["hj212"]
    refused = 0
    for payload in mutated(samples, 213, FRAMES):
        found = read_hj212(framed(payload))
        assert isinstance(found, Batch | Refusal), payload
        refused += isinstance(found, Refusal)
    assert FRAMES // 1000 < refused < FRAMES
