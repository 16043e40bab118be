"""OPC UA: a status code to a quality, a node's address, and a value to a number; pure.

Flow: DataValue -> [decode] -> value, quality, time -> Scan

The codes and what they mean: OPC 10000-4 §7.38 (the bits, and codes of every service) and OPC 10000-8 §6.3 (those of
data access). The table stands in ``docs/opcua.md`` too. Where a code says that nothing updates the value any more, it
is BAD here although the standard calls it uncertain: no data is an alarm (``ours``).
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from edge.decode.payload import BAD_DEVICE, GOOD, number_of
from edge.model import Quality, Reason
from edge.model.quality import encode

#: Upper two bits of a status code: its class (OPC 10000-4 §7.38.1).
_SEVERITY_SHIFT: Final = 30
#: InfoType DataValue with the bit Overflow: the server's queue of the item was full and a value went.
_INFO_TYPE: Final = 0x0C00
_IS_DATA_VALUE: Final = 0x0400
_OVERFLOW: Final = 0x0080
#: Class, subcode and the bits reserved with it; the info bits below say how, not what.
_CODE: Final = 0xFFFF_0000

#: Quality by code; a code that is not here has what its class says in ``quality_of``.
QUALITY: Final[Mapping[int, int]] = {
    # OPC 10000-8 §6.3: data access
    0x0096_0000: encode(Quality.UNCERTAIN, Reason.SUBSTITUTED),  # GoodLocalOverride
    0x408F_0000: encode(Quality.BAD, Reason.COMMS),  # UncertainNoCommunicationLastUsableValue
    0x4090_0000: encode(Quality.BAD, Reason.DEVICE),  # UncertainLastUsableValue
    0x4091_0000: encode(Quality.UNCERTAIN, Reason.SUBSTITUTED),  # UncertainSubstituteValue
    0x4092_0000: encode(Quality.UNCERTAIN, Reason.SUBSTITUTED),  # UncertainInitialValue
    0x4093_0000: encode(Quality.UNCERTAIN, Reason.DEVICE),  # UncertainSensorNotAccurate
    0x4094_0000: encode(Quality.UNCERTAIN, Reason.RANGE),  # UncertainEngineeringUnitsExceeded
    0x4095_0000: encode(Quality.UNCERTAIN, Reason.INPUT),  # UncertainSubNormal
    0x4209_0000: encode(Quality.UNCERTAIN, Reason.SUBSTITUTED),  # UncertainSimulatedValue
    0x8089_0000: encode(Quality.BAD, Reason.EXCEPTION),  # BadConfigurationError
    0x808A_0000: encode(Quality.BAD, Reason.COMMS),  # BadNotConnected
    0x808B_0000: encode(Quality.BAD, Reason.DEVICE),  # BadDeviceFailure
    0x808C_0000: encode(Quality.BAD, Reason.DEVICE),  # BadSensorFailure
    0x808D_0000: encode(Quality.BAD, Reason.DEVICE),  # BadOutOfService
    # OPC 10000-4 §7.38.2: every service
    0x8005_0000: encode(Quality.BAD, Reason.COMMS),  # BadCommunicationError
    0x800A_0000: encode(Quality.BAD, Reason.TIMEOUT),  # BadTimeout
    0x800C_0000: encode(Quality.BAD, Reason.COMMS),  # BadShutdown
    0x800D_0000: encode(Quality.BAD, Reason.COMMS),  # BadServerNotConnected
    0x800E_0000: encode(Quality.BAD, Reason.COMMS),  # BadServerHalted
    0x8031_0000: encode(Quality.BAD, Reason.COMMS),  # BadNoCommunication
    0x8032_0000: encode(Quality.BAD, Reason.DEVICE),  # BadWaitingForInitialData
    0x803C_0000: encode(Quality.BAD, Reason.RANGE),  # BadOutOfRange
    0x801F_0000: encode(Quality.BAD, Reason.EXCEPTION),  # BadUserAccessDenied
    0x8033_0000: encode(Quality.BAD, Reason.EXCEPTION),  # BadNodeIdInvalid
    0x8034_0000: encode(Quality.BAD, Reason.EXCEPTION),  # BadNodeIdUnknown
    0x8035_0000: encode(Quality.BAD, Reason.EXCEPTION),  # BadAttributeIdInvalid
    0x8036_0000: encode(Quality.BAD, Reason.EXCEPTION),  # BadIndexRangeInvalid
    0x8037_0000: encode(Quality.BAD, Reason.EXCEPTION),  # BadIndexRangeNoData
    0x803A_0000: encode(Quality.BAD, Reason.EXCEPTION),  # BadNotReadable
    0x803D_0000: encode(Quality.BAD, Reason.EXCEPTION),  # BadNotSupported
    0x80DB_0000: encode(Quality.BAD, Reason.EXCEPTION),  # BadTooManyMonitoredItems
}
#: By class: good, uncertain, bad, and the reserved one, which clients take for bad.
_OF_CLASS: Final = (GOOD, encode(Quality.UNCERTAIN, Reason.DEVICE), BAD_DEVICE, BAD_DEVICE)

_NUMERIC_MAX: Final = 0xFFFF_FFFF
_INDEX_MAX: Final = 0xFFFF
_ID_CHARS_MAX: Final = 4096  # OPC 10000-3 §8.2.4
_NODE: Final = re.compile(
    r"(?:ns=(?P<index>\d{1,5});|nsu=(?P<uri>[^;]{1,1024});)?(?P<kind>[isgb])=(?P<identifier>.+)", re.DOTALL
)
_GUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_BASE64: Final = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")


def quality_of(status: int) -> int:
    """Give the quality byte of a status code."""
    return QUALITY.get(status & _CODE, _OF_CLASS[status >> _SEVERITY_SHIFT])


def has_overflowed(status: int) -> bool:
    """Tell whether the server says that its queue of this item was full and a value went."""
    return status & _INFO_TYPE == _IS_DATA_VALUE and status & _OVERFLOW != 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeAddress:
    """Where a value is in a server, by the text form of OPC 10000-6 §5.1.12: ``ns=2;s=Tank``, ``nsu=http://…;i=7``.

    Attributes:
        index: Of its namespace in this server's list; -1 where the URI names it.
        uri: Of its namespace, which is the same after a restart and in another server; empty for none.
        kind: ``i`` number, ``s`` text, ``g`` GUID, ``b`` bytes in Base64.
    """

    index: int
    uri: str
    kind: str
    identifier: str

    def written(self, index: int) -> str:
        """Give the text with a namespace's index."""
        return f"ns={index};{self.kind}={self.identifier}"


def read_node(text: str) -> NodeAddress | None:
    """Read a node id as text; None for what is none."""
    found = _NODE.fullmatch(text.strip())
    if found is None:
        return None
    kind, identifier = found["kind"], found["identifier"]
    index = int(found["index"] or 0)
    is_right = {
        "i": identifier.isascii()
        and identifier.isdigit()
        and len(identifier) <= len(str(_NUMERIC_MAX))
        and int(identifier) <= _NUMERIC_MAX,
        "s": len(identifier) <= _ID_CHARS_MAX,
        "g": _GUID.fullmatch(identifier) is not None,
        "b": len(identifier) <= _ID_CHARS_MAX and _BASE64.fullmatch(identifier) is not None,
    }[kind]
    if not is_right or index > _INDEX_MAX:
        return None
    return NodeAddress(index=-1 if found["uri"] else index, uri=found["uri"] or "", kind=kind, identifier=identifier)


def value_of(found: object, status: int, texts: Mapping[str, float]) -> tuple[float, int]:
    """Give value and quality byte of one DataValue.

    Args:
        found: Of the variant, as Python has it; None for the null variant.
        status: Its status code.
        texts: What a text means as a number, where the tag has a map; a text that is not in it is BAD(unmapped).

    An array or a structure is no value of a tag: BAD(malformed).
    """
    quality = quality_of(status)
    if quality >= Quality.BAD:
        return math.nan, quality
    if texts and isinstance(found, str):
        number = texts.get(found.strip())
        return (math.nan, _UNMAPPED) if number is None else (number, quality)
    value, own = number_of(found)
    return (value, quality) if own == GOOD else (math.nan, own)


_UNMAPPED: Final = encode(Quality.BAD, Reason.UNMAPPED)
