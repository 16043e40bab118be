"""Words of the configuration: every key and column there is, and the shape of names and numbers.

``docs/configuration.md`` describes each of them; a test compares both ways.
"""

import math
import re
from typing import Final

from edge.model import title

#: Keys of each table of the site file. ``""`` is the file itself, ``a.b`` a table inside ``a``.
KEYS: Final[dict[str, tuple[str, ...]]] = {
    "": (
        "site", "http", "source", "template", "unit", "rule", "schedule", "tiering", "task", "destination", "influx",
        "history", "learn", "probe", "uplink", "spool", "node_broker", "derived", "vote", "shelving",
        "calendar", "shift", "post", "channel", "message", "report_mail", "escalation",
        "approval", "drill", "duties", "duty",
        "disposal", "flood", "out_of_service", "realarm", "second_person", "stop", "suppression", "ticket_suppression",
        "drill", "profile", "risk", "hidden_hazards", "hazard_opening", "commitment", "crowd", "crowd_share",
        "crowd_response", "quantity_share", "report",
        "incident", "headquarters", "call_out", "roll_call", "assembly_point", "zone",
    ),
    "site": ("id", "title", "timezone", "data", "demonstration", "tags"),
    "http": ("host", "port", "url", "hosts", "metrics_token_env", "metrics_token_file"),
    "probe": ("allow",),
    "source": (
        "id", "protocol", "nature", "host", "port", "silent_after_s", "lateness_s",
        "device_id", "timeout_s", "registers_max", "gap_max", "retry_s_max", "order", "registers_from", "coils_from",
        "probe_s_max", "pause_s", "tls", "ca_file", "cert_file", "key_file", "server_name",
        "serial", "baudrate", "parity", "stop_bits", "framing", "listen", "registration", "heartbeat", "allow",
        "version", "client_id", "username", "password_env", "password_file", "payload_bytes_max", "keepalive_s",
        "also", "presence", "session_s", "topic", "station", "tag",
        "group", "nodes", "host_id", "node_tag", "reorder_s", "birth_s", "rebirth_s",
        "url", "security", "policy", "sampling_s", "queue_size", "items_max",
        "node",
    ),
    "source.topic": (
        "pattern", "format", "tag", "value", "time", "tags", "type", "endian", "skip", "time_at", "time_in",
        "event", "device", "names", "codes",
    ),
    "template": ("id", "tags", "devices", "source", "unit", "rule", "derived", "vote"),
    "unit": ("id", "title", "kind", "grade", "area", "parent", "link"),
    "unit.link": ("title", "url"),
    "rule": (
        "tag", "kind", "setpoint", "deadband", "on_delay_s", "off_delay_s", "window_s", "tier", "latching", "response",
        "cause", "consequence", "basis", "respond_min",
        "to", "direction", "horizon_s", "method", "alpha", "samples_min", "block_s", "blocks", "line", "gap_s",
        "detector", "season", "span_s", "base_s", "warm_up_s", "allowance",
        "name", "reference", "states", "mask", "pattern", "band", "while_tag", "while_above", "when",
        "enable", "schedule",
    ),
    "vote": (
        "id", "title", "unit", "k", "members", "kind", "setpoint", "deadband", "degrade", "tier", "on_delay_s",
        "off_delay_s", "latching", "enable", "schedule", "response", "tier_lost", "lost_s",
        "cause", "consequence", "basis", "respond_min",
    ),
    "derived": (
        "tag", "kind", "title", "unit", "eu", "range_lo", "range_hi", "resolution", "period_s", "inputs",
        "strapping", "shape", "diameter_m", "length_m", "head", "head_depth_m",
        "density_kg_m3", "density_at_c", "density_slope",
        "window_s", "gap_s", "pipe_volume_m3", "z", "temperature_c", "pressure_is", "atmosphere_kpa", "least",
        "capacity_m3", "counting", "reset_at", "rollover", "passing_most", "start_count", "area_m2", "persons_most",
        "substance", "lel_percent", "molar_mass_g_mol", "meter", "design_kpa", "design_c", "design_z",
        "model", "statistic", "lags", "weight", "variance", "false_share", "window", "season_s",
        "LL", "L", "H", "HH", "tier_LL", "tier_L", "tier_H", "tier_HH", "deadband", "on_delay_s", "off_delay_s",
        "rate", "rate_window_s", "tier_rate", "trend_to", "trend_horizon_s", "trend_alpha", "tier_trend",
        "stale_s", "tier_stale", "bad_s", "tier_bad", "latching", "response",
    ),
    "derived.inputs": (
        "level", "volume", "temperature", "in", "out", "pressure", "of", "mass", "empty",
        "persons", "concentration", "gas", "flow", "tags", "tag",
    ),
    "tiering": ("unit_kind", "unit", "grade", "when", "tier", "lower_after_s"),
    "tiering.when": ("kind", "kinds", "voted", "tier_least", "count", "for_s", "time_to_limit_s"),
    "shelving": ("max_minutes",),
    "shelving.max_minutes": ("BLUE", "YELLOW", "ORANGE", "RED"),
    "out_of_service": ("permit_from", "max_hours"),
    "out_of_service.max_hours": ("BLUE", "YELLOW", "ORANGE", "RED"),
    "stop": ("tier_most", "max_days", "needs_permit"),
    "calendar": ("country", "rest", "work"),
    "shift": ("id", "title", "from", "to", "on"),
    "post": ("id", "title", "shifts", "units", "leader", "roster", "instead_of"),
    "approval": ("required", "hours"),
    "drill": ("refused_from", "stories"),
    "flood": ("begins_above", "ends_below", "minutes"),
    "disposal": ("within_minutes", "keep_location"),
    "risk": (
        "lec_from", "matrix_from", "bound_is", "alarm_steps", "major_steps", "overdue_steps", "ticket_steps", "plan",
    ),
    "risk.plan": ("file", "corners"),
    "risk.alarm_steps": ("BLUE", "YELLOW", "ORANGE", "RED"),
    "risk.ticket_steps": (
        "hot_special", "hot_first", "hot_second", "space", "blind", "height", "lifting", "power", "soil", "road",
    ),
    "hidden_hazards": ("repeat_days",),
    "commitment": ("by", "on", "signers"),
    "crowd": ("busy_pct", "busy_minutes"),
    "crowd_share": ("zone", "unit"),
    "quantity_share": ("dossier", "unit"),
    "crowd_response": (
        "zone", "unit", "density_most", "horizon_minutes", "entry_m", "exit_m", "stale_s", "action",
    ),
    "crowd_response.action": ("id", "measure", "tier", "title", "text", "channel", "automatic", "who"),
    "incident": ("from_tier", "channel"),
    "headquarters": ("id", "title", "accidents", "from_grade", "member"),
    "headquarters.member": ("duty", "who"),
    "call_out": (
        "id", "title", "who", "from_tier", "from_grade", "accidents", "after_minutes", "answer_minutes", "instead",
        "persons", "channel",
    ),
    "roll_call": ("access_stale_minutes", "overdue_minutes"),
    "assembly_point": ("id", "title", "place"),
    "zone": (
        "id", "title", "unit", "substance", "phase", "place", "height_m", "hole_mm", "temperature", "pressure",
        "pressure_is", "level", "hole_at_m", "stock", "rate", "bund_m2", "wind_speed", "wind_from", "sun",
        "sigma_theta", "air_temperature", "land", "stale_s",
    ),
    "report": ("font",),
    "hazard_opening": ("id", "tiers", "conditions", "units", "after_minutes", "causes", "type"),
    "disposal.within_minutes": ("BLUE", "YELLOW", "ORANGE", "RED"),
    "realarm": ("after_minutes", "rules"),
    "realarm.after_minutes": ("BLUE", "YELLOW", "ORANGE", "RED"),
    "second_person": ("minutes", "out_of_service", "shelve", "reset"),
    "ticket_suppression": ("id", "work", "units", "tags", "groups", "tier_most"),
    "suppression": ("id", "when", "units", "tags", "groups", "tier_most", "after_s", "hold_s", "reason"),
    "channel": (
        "id", "kind", "url", "token_env", "token_file", "secret_env", "secret_file", "language", "keyword", "mention",
        "per_minute", "fallback", "fallback_s", "natures", "timeout_s", "allow_loopback",
        "content", "fields", "headers", "code", "ok", "throttled", "refused", "characters",
        "url_env", "url_file", "host", "port", "security", "username", "password_env", "password_file", "from", "to",
        "also", "version", "client_id", "keepalive_s", "tls", "ca_file", "cert_file", "key_file", "server_name",
        "topic", "payload", "serial", "baudrate", "pin_env", "pin_file", "centre", "report",
        "message",
    ),
    "message": ("id", "title", "text", "line"),
    "report_mail": ("id", "span", "at", "after_minutes", "channel", "to", "forms", "language", "post"),
    "escalation": ("id", "tiers", "units", "schedule", "after_s", "rounds", "remind_s", "events", "step"),
    "escalation.step": ("to", "channel", "wait_s"),
    "duties": ("channel", "told_at", "prompt_to", "warning_to", "supervision_to", "five_lots_day", "ack_minutes"),
    "duties.ack_minutes": ("BLUE", "YELLOW", "ORANGE", "RED"),
    "duty": (
        "kind", "lead_days", "grace_days", "grace_minutes", "repeat_days", "counts", "prompt_to", "warning_to",
        "supervision_to", "off",
    ),
    "schedule": ("id", "span"),
    "schedule.span": ("days", "from", "to"),
    "task": ("kind", "tier", "title", "owner", "within_s"),
    "destination": (
        "id", "url", "secret_env", "secret_file", "tier_least", "natures", "timeout_s", "allow_loopback",
        "profile", "confirm_min", "phones", "quarantine_min", "connections",
        "cipher_key_env", "cipher_key_file", "vector_env", "vector_file",
        "host", "port", "also", "version", "client_id", "username", "password_env", "password_file", "keepalive_s",
        "tls", "ca_file", "cert_file", "key_file", "server_name", "topic", "ack_topic",
    ),
    "profile": (
        "id", "transport", "envelope", "signature", "cipher", "vector", "sealed_as", "field", "codes", "receipt", "cap",
        "regional", "exchange", "data",
    ),
    "profile.field": ("to", "from", "value", "codes", "form"),
    "profile.codes": ("id", "map", "other"),
    "profile.receipt": ("by", "id", "echo", "code", "ok", "refused", "signed", "resend_s"),
    "profile.cap": (
        "sender", "sender_name", "source", "scope", "restriction", "addresses", "mandate", "identifier", "prefix",
        "languages", "category", "event", "contact", "web", "note", "code", "expires_s", "geocode", "area",
    ),
    "profile.cap.area": ("unit", "title", "polygon", "circle", "geocode"),
    "profile.regional": (
        "app_id", "district_code", "company_code", "service_sensors", "service_stops", "live",
    ),
    "profile.exchange": ("paths", "page", "form", "dry_run"),
    "profile.data": ("what", "every_s", "expires_s"),
    "influx": ("url", "org", "bucket", "token_env", "token_file"),
    "history": ("raw_days",),
    "learn": ("artefact",),
    "uplink": (
        "node", "url", "token_env", "token_file", "ca_file", "allow_plain", "batch_bytes", "timeout_s", "retry_s_max",
        "broker", "topic", "port", "also", "version", "client_id", "username", "password_env", "password_file",
        "keepalive_s", "tls", "cert_file", "key_file", "server_name",
    ),
    "node_broker": (
        "host", "topic", "port", "also", "version", "client_id", "username", "password_env", "password_file",
        "keepalive_s", "tls", "ca_file", "cert_file", "key_file", "server_name",
    ),
    "spool": ("records_max", "bytes_max", "age_s_max", "sync_s", "sync_scans"),
}  # fmt: skip

_MODBUS_KEYS: Final = (
    "device_id", "timeout_s", "registers_max", "gap_max", "retry_s_max", "probe_s_max", "pause_s", "order",
    "registers_from", "coils_from",
)  # fmt: skip

_BROKER_KEYS: Final = (
    "host", "port", "also", "version", "client_id", "username", "password_env", "password_file", "payload_bytes_max",
    "keepalive_s", "tls", "ca_file", "cert_file", "key_file", "server_name",
)  # fmt: skip

#: Keys of a source that only some protocols have.
PROTOCOL_KEYS: Final[dict[str, tuple[str, ...]]] = {
    "modbus-tcp": ("host", "port", *_MODBUS_KEYS, "tls", "ca_file", "cert_file", "key_file", "server_name"),
    "modbus-rtu": (*_MODBUS_KEYS, "serial", "baudrate", "parity", "stop_bits"),
    "modbus-rtu-tcp": ("host", "port", *_MODBUS_KEYS),
    "modbus-dtu": ("port", *_MODBUS_KEYS, "framing", "listen", "registration", "heartbeat", "allow"),
    "mqtt": (*_BROKER_KEYS, "presence", "session_s", "topic"),
    "sparkplug": (
        *_BROKER_KEYS, "group", "nodes", "host_id", "tag", "node_tag", "reorder_s", "birth_s", "rebirth_s",
    ),
    "hj212": ("port", "station", "tag", "password_env", "password_file", "listen", "allow"),
    "opcua": (
        "url", "security", "policy", "cert_file", "key_file", "ca_file", "username", "password_env", "password_file",
        "timeout_s", "retry_s_max", "sampling_s", "queue_size", "items_max",
    ),
    "node": ("node", "nodes"),
}  # fmt: skip

#: Tables that only an edge node's file has, and those that only the gateway's has.
NODE_TABLES: Final = ("uplink", "spool")
GATEWAY_TABLES: Final = (
    "http",
    "probe",
    "unit",
    "rule",
    "vote",
    "schedule",
    "tiering",
    "shelving",
    "out_of_service",
    "approval",
    "drill",
    "disposal",
    "flood",
    "realarm",
    "second_person",
    "stop",
    "suppression",
    "ticket_suppression",
    "task",
    "profile",
    "risk",
    "hidden_hazards",
    "hazard_opening",
    "commitment",
    "crowd",
    "crowd_share",
    "quantity_share",
    "crowd_response",
    "incident",
    "headquarters",
    "call_out",
    "roll_call",
    "assembly_point",
    "zone",
    "report",
    "destination",
    "influx",
    "history",
    "learn",
    "derived",
    "node_broker",
    "calendar",
    "shift",
    "post",
    "channel",
    "message",
    "report_mail",
    "escalation",
    "duties",
    "duty",
)

LANGUAGES: Final = title.LANGUAGES

TAG_COLUMNS: Final = (
    "tag", "title_en", "title_zh", "source", "unit", "kind", "eu", "range_lo", "range_hi", "resolution", "period_s",
)  # fmt: skip
MODBUS_COLUMNS: Final = (
    "table", "register", "type", "order", "bit", "mask", "shift", "length", "map", "scale", "offset", "sentinel",
    "signal",
)  # fmt: skip
OPCUA_COLUMNS: Final = ("node_id",)
#: Columns of Modbus that OPC UA has too, with the same meaning.
SHARED_COLUMNS: Final = ("map", "scale", "offset")
#: Columns that the gateway makes rules of; an edge node knows them and passes them by.
RULE_COLUMNS: Final = (
    "LL", "L", "H", "HH", "tier_LL", "tier_L", "tier_H", "tier_HH", "deadband", "on_delay_s", "off_delay_s",
    "rate", "rate_window_s", "tier_rate", "trend_to", "trend_horizon_s", "trend_alpha", "tier_trend",
    "stale_s", "tier_stale", "bad_s", "tier_bad", "enable", "enable_no_data", "schedule", "schedule_no_data",
    "latching", "response_en", "response_zh",
)  # fmt: skip
COLUMNS: Final = TAG_COLUMNS + MODBUS_COLUMNS + OPCUA_COLUMNS + RULE_COLUMNS

#: Id of the gateway's own source and unit, and first part of its tags.
RESERVED: Final = "fengsui"

_ID = re.compile(r"[\w.-]{1,64}")  # No "/": ids are parts of scan keys and topics.
_NAME = re.compile(r"[\w-]{1,32}")  # No dot: it would look like the rule of another tag.
_TAG = re.compile(r"[\w.:/-]{1,128}")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d{1,30}", re.ASCII)
_SUM = re.compile(r"[+-]?\d{1,30}( *\+ *\d{1,30})+", re.ASCII)

ID_RULE: Final = "an id is 1 to 64 letters, digits, dots, dashes or underscores"
NAME_RULE: Final = "a rule's name is 1 to 32 letters, digits, dashes or underscores"
TAG_RULE: Final = "a tag's name is 1 to 128 letters, digits, dots, dashes, underscores, colons or slashes"


def keys_of(table: str) -> tuple[str, ...]:
    """Give the keys of a table of the site file, e.g. of ``source.topic``."""
    return KEYS[table]


def is_id(text: str) -> bool:
    """Tell whether a text can be the id of a site, source, unit or destination."""
    return _ID.fullmatch(text) is not None


def is_name(text: str) -> bool:
    """Tell whether a text can tell rules of one kind on one tag apart."""
    return _NAME.fullmatch(text) is not None


def is_tag(text: str) -> bool:
    """Tell whether a text can be a tag's name."""
    return _TAG.fullmatch(text) is not None


def parse_number(text: str, *, is_expanded: bool = False) -> float | None:
    """Read a finite decimal number, or give None; in an expanded template also a sum such as ``100+4``."""
    text = text.strip()
    if _NUMBER.fullmatch(text):
        number = float(text)
        return number if math.isfinite(number) else None
    return parse_sum(text) if is_expanded else None


def parse_sum(text: str) -> int | None:
    """Add up ``100+4``, the only arithmetic there is, or give None."""
    return sum(int(part) for part in text.split("+") if part.strip()) if _SUM.fullmatch(text) else None


def parse_whole(text: str, *, is_expanded: bool = False) -> int | None:
    """Read a whole number, or give None; in an expanded template also a sum such as ``100+4``."""
    text = text.strip()
    if _WHOLE.fullmatch(text):
        return int(text)
    return parse_sum(text) if is_expanded else None
