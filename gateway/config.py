"""The whole site as typed values: sources, tags, hazard units, rules, tiers, push, people."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, TypeAlias

from alerting.duty.plan import DutyPlan
from alerting.escalation.plan import Plan
from alerting.model.call_out import CallLine
from alerting.model.commitment_policy import CommitmentPolicy
from alerting.model.crowd_policy import CrowdPolicy
from alerting.model.derivation import Derivation
from alerting.model.hazard_policy import HazardPolicy
from alerting.model.headquarters import Headquarters
from alerting.model.incident_policy import IncidentPolicy
from alerting.model.learned import Learned
from alerting.model.philosophy import Philosophy
from alerting.model.quantity_share import QuantityShare
from alerting.model.risk import RiskPolicy
from alerting.model.roll_call import RollPolicy
from alerting.model.rule import Rule, RuleTable
from alerting.model.tier import Tier
from alerting.model.tiering import Tiering
from alerting.model.unit import HazardUnit
from alerting.model.zone_source import ZoneSource
from alerting.push.message import Tongue
from alerting.push.profile import PLAIN, Profile
from alerting.push.quota import Limit
from alerting.push.template import Template
from alerting.report.plan import ReportPlan
from alerting.response.task import TaskTemplate
from alerting.roster.plan import RosterPlan
from edge.config import MqttOptions, Source
from edge.model import Nature, TagTable

__all__ = ["Destination", "DrillOptions", "Influx", "NodeBroker", "Reach", "Site", "TaskTemplate"]


#: By which means a channel reaches people; a webhook is a program of the plant's own.
ChannelKind: TypeAlias = Literal["webhook", "dingtalk", "wecom", "feishu", "sms", "mail", "apprise", "mqtt", "modem"]
CHANNEL_KINDS: Final = ("webhook", "dingtalk", "wecom", "feishu", "sms", "mail", "apprise", "mqtt", "modem")
#: How the way to a mail server is encrypted: after a word in clear, from the first byte, not at all.
MailSecurity: TypeAlias = Literal["starttls", "tls", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsOptions:
    """How a gateway of short messages is spoken to.

    Attributes:
        fields: Of the request, by name, dots for members of members; with placeholders.
        headers: Beside the usual ones; with placeholders.
        code: Where the answer has its result, names parted by dots; empty where the status alone counts.
        ok, throttled, refused: Results that mean taken, too often, and never as it is.
    """

    content: Literal["json", "form"] = "json"
    fields: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    code: str = ""
    ok: tuple[str, ...] = ()
    throttled: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MailOptions:
    """A mail server and who writes.

    Attributes:
        sender: Address that mails are from.
        to: Addresses of what is for nobody by name.
    """

    host: str
    port: int
    security: MailSecurity
    sender: str
    to: tuple[str, ...] = ()
    username: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModemOptions:
    """A GSM modem on a serial port.

    Attributes:
        pin: Of its card; empty where it asks for none.
        centre: Number of the service centre; empty for the card's own.
        is_reported: The network is asked to say that a telephone has it.
        settle_s: Time that the modem is given after its card was unlocked.
    """

    serial: str
    baudrate: int = 115_200
    pin: str = field(default="", repr=False)
    centre: str = ""
    is_reported: bool = True
    settle_s: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How a channel reaches people.

    Attributes:
        token: What names and opens the robot: access token, key, or the last part of its address.
        sign_secret: Key of its signature; empty where it asks for none.
        tongue: Language of the messages.
        keyword: What the robot wants to see in every message; empty for nothing.
        mention: People are named by their phone numbers, so that the chat rings for them.
        limits: How often it may be used.
        characters: Most that one message holds: UTF-16 units, as telephones count; of ``apprise`` bytes.
        template: Words of the site's own; None for the usual ones.
        payload: Of ``mqtt``: the call as a program reads it, or its words.
        address: Of ``apprise``: where the service is and what opens it, with placeholders for the one who is called.
        fallback: Channel that takes a call over which this one could not deliver within ``fallback_s``; empty for none.
    """

    kind: ChannelKind = "webhook"
    token: str = field(default="", repr=False)
    sign_secret: str = field(default="", repr=False)
    tongue: Tongue = "zh"
    keyword: str = ""
    mention: bool = True
    limits: tuple[Limit, ...] = ()
    characters: int = 300
    sms: SmsOptions | None = None
    mail: MailOptions | None = None
    modem: ModemOptions | None = None
    template: Template | None = None
    payload: Literal["json", "text"] = "json"
    address: str = field(default="", repr=False)
    fallback: str = ""
    fallback_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """One authority that notices are pushed to.

    Attributes:
        profile: By which way, in which form and how sealed.
        tier_least: Alarms below this tier are not pushed (design §3: YELLOW).
        secret: Key of the Standard Webhooks signature, ``whsec_`` + base64; from environment or file only.
        natures: Natures that this destination accepts; others are not composed for it.
        is_loopback_allowed: Private and loopback addresses are refused unless this says otherwise.
        confirm_min: What is not confirmed for so long rings, min; ``phones`` are called then.
        quarantine_min: A notice that is refused for so long is put aside with all of its chain, min.
        connections: So many notices of different chains may be under way at a time.
        cipher_key, vector: Of the profile's cipher; the vector only where one is agreed upon.
        broker, topic, ack_topic: Of a profile whose way is MQTT.
        ca_file, server_name: Of TLS where the profile's way is TCP.
    """

    id: str
    url: str
    profile: Profile = PLAIN
    secret: str = field(default="", repr=False)
    tier_least: Tier = Tier.YELLOW
    natures: tuple[Nature, ...] = (Nature.ACTUAL,)
    timeout_s: float = 10.0
    is_loopback_allowed: bool = False
    confirm_min: float = 10.0
    phones: tuple[str, ...] = ()
    quarantine_min: float = 1440.0
    connections: int = 1
    cipher_key: bytes = field(default=b"", repr=False)
    vector: bytes = field(default=b"", repr=False)
    broker: MqttOptions | None = None
    topic: str = ""
    ack_topic: str = ""
    ca_file: Path | None = None
    server_name: str = ""
    reach: Reach | None = None  # of a channel to people; None for an authority


@dataclass(frozen=True, slots=True, kw_only=True)
class Influx:
    """An InfluxDB v2 write address beside the embedded historian."""

    url: str
    org: str = "fengsui"
    bucket: str = "fengsui"
    token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeBroker:
    """A broker through which edge nodes send.

    Attributes:
        topic: First levels of the topics, the same as the nodes have.
    """

    options: MqttOptions
    topic: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillOptions:
    """What drills on this site must keep to.

    Attributes:
        refused_from: No drill begins while an alarm or unit of the plant itself has this tier or a graver one.
        stories: Folder of the site's own scenario files, beside those that ship; None for none.
    """

    refused_from: Tier = Tier.ORANGE
    stories: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalPolicy:
    """Whether a change of the configuration waits for a second person.

    Attributes:
        hours: How long a proposal waits, h.
    """

    is_needed: bool = False
    hours: int = 72


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One site, complete and without mistakes."""

    id: str
    title: dict[str, str]
    timezone: str
    sources: tuple[Source, ...]
    tags: TagTable
    units: tuple[HazardUnit, ...]
    rules: RuleTable
    destinations: tuple[Destination, ...] = ()
    channels: tuple[Destination, ...] = ()  # by which people are called; they share the outbox with the authorities
    escalations: tuple[Plan, ...] = ()
    reports: tuple[ReportPlan, ...] = ()
    duties: DutyPlan = field(default_factory=DutyPlan)
    tasks: tuple[TaskTemplate, ...] = ()
    tiering: Tiering = field(default_factory=Tiering)
    philosophy: Philosophy = field(default_factory=Philosophy)
    risk: RiskPolicy = field(default_factory=RiskPolicy)
    hazards: HazardPolicy = field(default_factory=HazardPolicy)
    commitment: CommitmentPolicy = field(default_factory=CommitmentPolicy)
    crowd: CrowdPolicy = field(default_factory=CrowdPolicy)
    quantities: tuple[QuantityShare, ...] = ()
    incident: IncidentPolicy = field(default_factory=IncidentPolicy)
    headquarters: tuple[Headquarters, ...] = ()
    call_out: tuple[CallLine, ...] = ()
    roll_call: RollPolicy = field(default_factory=RollPolicy)
    zones: tuple[ZoneSource, ...] = ()
    report_font: Path | None = None  # that PDFs are set in; None: one of the system's
    roster: RosterPlan = field(default_factory=RosterPlan)
    drill: DrillOptions = field(default_factory=DrillOptions)
    approval: ApprovalPolicy = field(default_factory=ApprovalPolicy)
    influx: Influx | None = None
    node_broker: NodeBroker | None = None
    data: Path = Path("var")
    host: str = "127.0.0.1"
    port: int = 8080
    page_url: str = ""  # where people reach the page, for links in messages; without a slash at the end
    hosts: tuple[str, ...] = ()  # names that requests may be for; empty for any
    metrics_token: str = field(default="", repr=False)
    probe_allow: tuple[str, ...] = ()  # networks in which an engineer may type an address to probe
    raw_days: int = 90
    revision: str = ""  # digest of all configuration files read
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False, compare=False)  # their contents, by path
    is_demonstration: bool = False
    learned: Learned | None = None  # what ``[learn]`` names
    derived: tuple[Derivation, ...] = ()
    own_rules: tuple[Rule, ...] = ()  # about the gateway's own tags, which are made at start

    @property
    def outlets(self) -> tuple[Destination, ...]:
        """Everything that a row of the outbox may be for: authorities, and channels to people."""
        return (*self.destinations, *self.channels)
