"""Profile: how one authority wants to be told: by which way, in which form, sealed how, and what it answers.

Why: authorities differ in their words, not in what an alarm is. A profile is data; a new authority is a table in the
    site file, not a program.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from alerting.push.cap_options import CapOptions

Transport: TypeAlias = Literal["http", "mqtt", "tcp"]
EnvelopeName: TypeAlias = Literal["plain", "mapped", "cap", "regional", "exchange"]
Signature: TypeAlias = Literal["hmac-sha256", "hmac-sm3", "sm2", "none"]
Cipher: TypeAlias = Literal["none", "aes-cbc", "sm4-cbc"]
#: Where the initialisation vector of a cipher comes from: a fresh one before each text, or one agreed upon.
Vector: TypeAlias = Literal["prefix", "fixed"]
#: How a receipt comes: in the answer, later by a way of its own, or never.
ReceiptBy: TypeAlias = Literal["answer", "later", "none"]
#: What is told again and again beside alarms.
DataWhat: TypeAlias = Literal["values", "states", "sensors"]

TRANSPORTS: Final = ("http", "mqtt", "tcp")
ENVELOPES: Final = ("plain", "mapped", "cap", "regional", "exchange")
SIGNATURES: Final = ("hmac-sha256", "hmac-sm3", "sm2", "none")
CIPHERS: Final = ("none", "aes-cbc", "sm4-cbc")
VECTORS: Final = ("prefix", "fixed")
RECEIPTS: Final = ("answer", "later", "none")
DATA: Final = ("values", "states", "sensors")

Codes: TypeAlias = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldLine:
    """One line of a field map.

    Attributes:
        to: Where it goes, names parted by dots.
        source: Where it comes from in the plain notice, names parted by dots; empty for a constant.
        value: The constant.
        codes: Name of the code list that turns the word into the authority's; empty for none.
        form: How a time is written, e.g. ``yyyyMMddHHmmss``; empty for as it is.
    """

    to: str
    source: str = ""
    value: str = ""
    codes: str = ""
    form: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeList:
    """Words of ours and an authority's codes for them.

    Attributes:
        other: Code of a word that is not listed; None where such a word goes as it is.
    """

    map: Codes
    other: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptRule:
    """What counts as the authority's acknowledgement.

    Attributes:
        id, echo, code: Where the answer has the receipt's number, our key, a result; names parted by dots, empty
            where none is asked for. What is asked for and missing is no receipt, whatever the status says.
        ok: Results that mean "taken"; ``refused`` those that mean "never, as it is".
        is_signed: The answer must carry a signature of ours and theirs.
        resend_s: How long an acknowledgement that comes later is waited for before the notice goes again, s.
    """

    by: ReceiptBy = "answer"
    id: str = ""
    echo: str = ""
    code: str = ""
    ok: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    is_signed: bool = False
    resend_s: float = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionalOptions:
    """A regional platform that takes static data as frames ended by ``@@``.

    The frame, its envelope and the tables WC_ENT_CGQ and WC_PROD_HIS are known from public code of senders; numbers
    of services differ by region and are configuration.

    Attributes:
        is_live: The live-data frame, which no published source confirms. Always False: ``check`` refuses it.
    """

    app_id: str
    district_code: str
    company_code: str
    service_sensors: str = "WC_ENT_CGQ"
    service_stops: str = "WC_PROD_HIS"
    is_live: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeOptions:
    """A receiver of the register's risk units, events, measures, tasks, checks and hidden hazards.

    Tables, fields and codes are known from public code of senders alone; paths and codes are configuration.

    Attributes:
        paths: Where each ledger's rows go below the destination's address; empty for a ledger that is not told.
        page: Rows in one notice.
        form: How a time is written.
        is_dry: Nothing is sent; the page shows what would be.
    """

    paths: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    page: int = 50
    form: str = "yyyy-MM-dd HH:mm:ss"
    is_dry: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DataLine:
    """What is told every so often; it is worthless after a time, and then it is not sent any more.

    Attributes:
        every_s, expires_s: Period, and how long it waits at most, s.
    """

    what: DataWhat
    every_s: float
    expires_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How one authority wants to be told.

    Attributes:
        sealed_as: Name of the JSON member that holds the enciphered text; empty where it is the whole body.
    """

    id: str
    transport: Transport = "http"
    envelope: EnvelopeName = "plain"
    signature: Signature = "hmac-sha256"
    cipher: Cipher = "none"
    vector: Vector = "prefix"
    sealed_as: str = ""
    fields: tuple[FieldLine, ...] = ()
    codes: Mapping[str, CodeList] = field(default_factory=lambda: MappingProxyType({}))
    receipt: ReceiptRule = field(default_factory=ReceiptRule)
    cap: CapOptions | None = None
    regional: RegionalOptions | None = None
    exchange: ExchangeOptions | None = None
    data: tuple[DataLine, ...] = ()

    @property
    def carries_nature(self) -> bool:
        """Tell whether a reader of its form can know an exercise or a test from the real thing."""
        if self.envelope == "mapped":
            return any(line.source == "nature" for line in self.fields)
        return self.envelope not in ("regional", "exchange")


#: What a destination without a profile gets: the plain notice, signed after Standard Webhooks.
PLAIN: Final = Profile(id="plain")
