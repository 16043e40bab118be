"""What the collectors will ask and hear, and what it will cost, before anything is deployed.

Flow: site -> [plan] -> text or JSON of ``fengsui plan``
Why: whether a device can answer in time, and whether the disk is large enough, should not be found out on the plant.
Never: opens a connection. Loads and sizes are estimates from the figures below; the requests are exact.
"""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from edge.collect.modbus.address import FUNCTION
from edge.collect.modbus.plan import ReadPlan, plan_device
from edge.collect.modbus.serial_port import character_s, gap_s
from edge.collect.mqtt.collector import MERGE_S
from edge.collect.mqtt.topic import filter_of, parted
from edge.collect.sparkplug.topic import filters_of
from edge.config import ModbusOptions, Source, TopicOptions
from edge.load.source import tags_of_topic
from edge.load.sparkplug import tags_of_sparkplug
from edge.model import Tag
from gateway.config import Site

# Measured on one core of a 2-core machine (AMD EPYC, Python 3.11); order of magnitude elsewhere.
REQUEST_S = 40e-6  # A Modbus request with its answer, client and decoding.
MESSAGE_S = 30e-6  # An MQTT message with its acknowledgement.
SAMPLE_S = 1e-6  # A sample down the whole road, historian and page included.
BYTES_RESOLUTION = 2.7  # A stored value with a declared resolution, of a noisy signal.
BYTES_EXACT = 5.0  # A stored value without: every bit is kept.
BYTES_ROLLUP = 10.0  # A minute of a tag: least, most and mean.
ROLLUP_DAYS = 365
DAY_S = 86_400

ANSWER_MS_QUICK = 20.0  # Devices that must answer quicker than this to keep up are pointed out.
REQUESTS_SHOWN = 24  # In text; JSON has all.


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRequest:
    """One read of a cycle; ``unused`` registers are read along to save a request."""

    function: int
    table: str
    address: int
    count: int
    tags: int
    unused: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedClass:
    """One scan class of a device."""

    period_s: float
    tags: int
    requests: tuple[PlannedRequest, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedDevice:
    """One Modbus source.

    Attributes:
        address: Where its line leads.
        answer_ms_max: How long an answer may take on average if no turn is to be left out, all devices of its line
            counted; None without requests.
    """

    source: str
    address: str
    protocol: str
    device_id: int
    classes: tuple[PlannedClass, ...]
    scans_per_s: float
    samples_per_s: float
    requests_per_s: float
    registers_per_s: float
    answer_ms_max: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTopic:
    """One subscription; messages a second as the tags' periods let expect."""

    pattern: str
    filter: str
    format: str
    tags: int
    messages_per_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedBroker:
    """One MQTT source; ``unheard`` are tags that no topic can give."""

    source: str
    address: str
    version: str
    topics: tuple[PlannedTopic, ...]
    unheard: tuple[str, ...]
    scans_per_s: float
    samples_per_s: float
    messages_per_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedLogger:
    """One data logger that calls; what it sends a second as the tags' periods let expect."""

    source: str
    address: str
    station: str
    tags: int
    scans_per_s: float
    samples_per_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSubscription:
    """The subscriptions of one scan class of an OPC UA server."""

    period_s: float
    tags: int
    subscriptions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedServer:
    """One OPC UA server; at most so many samples a second, for a tag that changes more often is sampled no more."""

    source: str
    address: str
    security: str
    classes: tuple[PlannedSubscription, ...]
    scans_per_s: float
    samples_per_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the whole site will ask, hear and cost.

    Attributes:
        core_percent: Estimated load of one processor core, %.
        disk_bytes_per_day: Estimated raw values a day.
        disk_bytes_kept: Estimated size of the history when it has its full age.
        notes: What somebody should look at.
    """

    site: str
    devices: tuple[PlannedDevice, ...]
    brokers: tuple[PlannedBroker, ...]
    loggers: tuple[PlannedLogger, ...]
    servers: tuple[PlannedServer, ...]
    tags: int
    scans_per_s: float
    samples_per_s: float
    requests_per_s: float
    registers_per_s: float
    messages_per_s: float
    core_percent: float
    disk_bytes_per_day: int
    disk_bytes_kept: int
    raw_days: int
    notes: tuple[str, ...]


def plan(site: Site) -> Plan:
    """Plan a site; a site without mistakes is planned without errors."""
    devices = _share_lines(site, [_plan_modbus(site, source) for source in site.sources if source.modbus is not None])
    brokers = tuple(
        (_plan_mqtt if source.sparkplug is None else _plan_sparkplug)(site, source)
        for source in site.sources
        if source.mqtt is not None
    )
    loggers = tuple(_plan_logger(site, source) for source in site.sources if source.hj212 is not None)
    servers = tuple(_plan_server(site, source) for source in site.sources if source.opcua is not None)
    requests = math.fsum(device.requests_per_s for device in devices)
    messages = math.fsum(broker.messages_per_s for broker in brokers)
    parts: tuple[PlannedDevice | PlannedBroker | PlannedLogger | PlannedServer, ...]
    parts = (*devices, *brokers, *loggers, *servers)
    samples = math.fsum(part.samples_per_s for part in parts)
    per_day = round(math.fsum(_bytes_per_day(tag) for tag in site.tags))
    rollups = len(site.tags) * DAY_S / 60 * BYTES_ROLLUP * max(ROLLUP_DAYS, site.raw_days)
    return Plan(
        site=site.id,
        devices=devices,
        brokers=brokers,
        loggers=loggers,
        servers=servers,
        tags=len(site.tags),
        scans_per_s=math.fsum(part.scans_per_s for part in parts),
        samples_per_s=samples,
        requests_per_s=requests,
        registers_per_s=math.fsum(device.registers_per_s for device in devices),
        messages_per_s=messages,
        core_percent=round(100 * (requests * REQUEST_S + messages * MESSAGE_S + samples * SAMPLE_S), 2),
        disk_bytes_per_day=per_day,
        disk_bytes_kept=round(per_day * site.raw_days + rollups),
        raw_days=site.raw_days,
        notes=tuple(_notes(devices, brokers)),
    )


def _bytes_per_day(tag: Tag) -> float:
    return DAY_S / tag.period_s * (BYTES_RESOLUTION if tag.resolution > 0 else BYTES_EXACT)


# --------------------------------------------------------------------------------------------------------- Modbus


def _plan_modbus(site: Site, source: Source) -> PlannedDevice:
    options = source.modbus
    assert options is not None
    plans = plan_device(site.tags, source.id, options)
    requests_per_s = math.fsum(len(one.requests) / one.period_s for one in plans)
    return PlannedDevice(
        source=source.id,
        address=options.place,
        protocol=source.protocol,
        device_id=options.device_id,
        classes=tuple(_planned_class(one) for one in plans),
        scans_per_s=math.fsum(1 / one.period_s for one in plans),
        samples_per_s=math.fsum(len(one.rows) / one.period_s for one in plans),
        requests_per_s=requests_per_s,
        registers_per_s=math.fsum(int(one.starts[-1]) / one.period_s for one in plans),
        answer_ms_max=_wire_ms(options, plans, requests_per_s) if requests_per_s else None,
    )


def _wire_ms(options: ModbusOptions, plans: tuple[ReadPlan, ...], requests_per_s: float) -> float:
    """Give the time of a request's turn that is left for the device, ms, when its bytes and pauses are taken off.

    Of a serial line: 8 bytes out, 5 and the data in, and the silence before each (Modbus over serial line V1.02).
    """
    turn_s = 1 / requests_per_s - options.pause_s
    if options.serial is not None:
        registers_per_s = math.fsum(int(one.starts[-1]) / one.period_s for one in plans)
        bytes_per_request = 8 + 5 + 2 * registers_per_s / requests_per_s
        turn_s -= bytes_per_request * character_s(options.serial) + 2 * gap_s(options.serial)
    return 1_000 * turn_s


def _share_lines(site: Site, devices: list[PlannedDevice]) -> tuple[PlannedDevice, ...]:
    """Let devices on one line share its time: what they may take is what is left when all have had their turn."""
    lines: dict[tuple[str, ...], list[PlannedDevice]] = {}
    options = {source.id: source.modbus for source in site.sources if source.modbus is not None}
    for device in devices:
        lines.setdefault(options[device.source].line, []).append(device)
    left_ms: dict[str, float | None] = {}
    for mine in lines.values():
        requests = math.fsum(device.requests_per_s for device in mine)
        # Each device's own overhead in a request, ms: its turn if it were alone less what that leaves it.
        taken = math.fsum(
            device.requests_per_s * (1_000 / device.requests_per_s - device.answer_ms_max)
            for device in mine
            if device.answer_ms_max is not None
        )
        for device in mine:
            left_ms[device.source] = (1_000 - taken) / requests if device.answer_ms_max is not None else None
    return tuple(replace(device, answer_ms_max=left_ms[device.source]) for device in devices)


def _planned_class(one: ReadPlan) -> PlannedClass:
    members: list[list[int]] = [[] for _ in one.requests]
    for member, request in enumerate(one.request_of.tolist()):
        members[request].append(member)
    return PlannedClass(
        period_s=one.period_s,
        tags=len(one.rows),
        requests=tuple(
            PlannedRequest(
                function=FUNCTION[request.table],
                table=request.table,
                address=request.address,
                count=request.count,
                tags=len(mine),
                unused=request.count - len({word for m in mine for word in _words(one, m)}),
            )
            for request, mine in zip(one.requests, members, strict=True)
        ),
    )


def _words(one: ReadPlan, member: int) -> range:
    address = one.addresses[member]
    return range(address.register, address.register + address.words)


# ----------------------------------------------------------------------------------------------------------- MQTT


def _plan_mqtt(site: Site, source: Source) -> PlannedBroker:
    options = source.mqtt
    assert options is not None
    left = [site.tags[int(row)] for row in site.tags.rows_of_source(source.id)]
    samples_per_s = math.fsum(1 / tag.period_s for tag in left)
    topics: list[PlannedTopic] = []
    for topic in options.topics:
        pattern = tags_of_topic(topic)
        mine = [tag for tag in left if pattern is None or pattern.fullmatch(tag.name)]
        left = [tag for tag in left if tag not in mine] if pattern is not None else []
        topics.append(_planned_topic(topic, mine))
    messages_per_s = math.fsum(topic.messages_per_s for topic in topics)
    return PlannedBroker(
        source=source.id,
        address=f"{options.host}:{options.port}",
        version=options.version,
        topics=tuple(topics),
        unheard=tuple(tag.name for tag in left),
        scans_per_s=min(messages_per_s, 1 / MERGE_S),
        samples_per_s=samples_per_s,
        messages_per_s=messages_per_s,
    )


def _plan_sparkplug(site: Site, source: Source) -> PlannedBroker:
    """Plan a host application: one filter a node; a node tells together what changes together."""
    options, broker = source.sparkplug, source.mqtt
    assert options is not None, source.id
    assert broker is not None, source.id
    left = [site.tags[int(row)] for row in site.tags.rows_of_source(source.id)]
    samples_per_s = math.fsum(1 / tag.period_s for tag in left)
    topics: list[PlannedTopic] = []
    for node, heard in zip(options.nodes, filters_of(options), strict=True):
        pattern = tags_of_sparkplug(options, node)
        mine = [tag for tag in left if pattern.fullmatch(tag.name)]
        left = [tag for tag in left if tag not in mine]
        rate = max((1 / tag.period_s for tag in mine), default=0.0)
        topics.append(PlannedTopic(pattern=node, filter=heard, format="sparkplug", tags=len(mine), messages_per_s=rate))
    messages_per_s = math.fsum(topic.messages_per_s for topic in topics)
    return PlannedBroker(
        source=source.id,
        address=f"{broker.host}:{broker.port}",
        version=broker.version,
        topics=tuple(topics),
        unheard=tuple(tag.name for tag in left),
        scans_per_s=min(messages_per_s, 1 / MERGE_S),
        samples_per_s=samples_per_s,
        messages_per_s=messages_per_s,
    )


def _plan_logger(site: Site, source: Source) -> PlannedLogger:
    options = source.hj212
    assert options is not None, source.id
    rates = [1 / site.tags[int(row)].period_s for row in site.tags.rows_of_source(source.id)]
    return PlannedLogger(
        source=source.id,
        address=f"{options.listen}:{options.port}",
        station=options.station,
        tags=len(rates),
        scans_per_s=max(rates, default=0.0),
        samples_per_s=math.fsum(rates),
    )


def _plan_server(site: Site, source: Source) -> PlannedServer:
    options = source.opcua
    assert options is not None, source.id
    counts = Counter(site.tags[int(row)].period_s for row in site.tags.rows_of_source(source.id))
    classes = tuple(
        PlannedSubscription(period_s=period_s, tags=count, subscriptions=math.ceil(count / options.items_max))
        for period_s, count in sorted(counts.items())
    )
    return PlannedServer(
        source=source.id,
        address=options.url,
        security=options.security if options.security == "none" else f"{options.security} {options.policy}",
        classes=classes,
        scans_per_s=math.fsum(one.subscriptions / one.period_s for one in classes),
        samples_per_s=math.fsum(one.tags / one.period_s for one in classes),
    )


def _planned_topic(topic: TopicOptions, tags: list[Tag]) -> PlannedTopic:
    rates = [1 / tag.period_s for tag in tags]
    if topic.format in ("json-value", "number"):
        messages_per_s = math.fsum(rates)
    else:  # All values of a list come together; how many topics an object is spread over nobody can know here.
        senders = max(1, len(tags) // len(topic.tags)) if topic.tags else 1
        messages_per_s = senders * max(rates, default=0.0)
    return PlannedTopic(
        pattern=topic.pattern,
        filter=filter_of(topic.pattern),
        format=topic.format,
        tags=len(tags),
        messages_per_s=messages_per_s,
    )


# ---------------------------------------------------------------------------------------------------------- words


def _notes(devices: tuple[PlannedDevice, ...], brokers: tuple[PlannedBroker, ...]) -> Iterator[str]:
    for device in devices:
        if device.answer_ms_max is None:
            yield f"{device.source}: no tag reads from this device."
        elif device.answer_ms_max <= 0:
            yield (
                f"{device.source}: its line ({device.address}) is too slow for these requests by "
                f"{-device.answer_ms_max:.0f} ms each, whatever the devices do. Poll slower, or spread them over lines."
            )
        elif device.answer_ms_max < ANSWER_MS_QUICK:
            yield (
                f"{device.source}: must answer within {device.answer_ms_max:.1f} ms on average; "
                "many devices do not. Poll slower, or raise gap_max or registers_max."
            )
    for broker in brokers:
        if broker.unheard:
            names = ", ".join(broker.unheard[:5]) + (" …" if len(broker.unheard) > 5 else "")  # noqa: PLR2004
            yield f"{broker.source}: no topic can give {len(broker.unheard)} of its tags: {names}."
        for topic in broker.topics:
            if parted(topic.pattern)[0]:
                yield f"{broker.source}: {topic.filter} is shared; this member hears its part of these messages."


def render(made: Plan) -> str:
    """Give a plan as text."""
    devices, brokers = _number(len(made.devices), "Modbus device"), _number(len(made.brokers), "broker")
    lines = [f"Site {made.site}: {_number(made.tags, 'tag')}, {devices}, {brokers}", ""]
    for device in made.devices:
        lines.extend(_render_device(device))
    for broker in made.brokers:
        lines.append(f"MQTT {broker.version} {broker.source} at {broker.address}")
        lines.extend(
            f"  {topic.filter:<32} {topic.format:<11} {_number(topic.tags, 'tag'):>11}  "
            f"{topic.messages_per_s:>9.1f} messages/s"
            for topic in broker.topics
        )
        lines.append("")
    for logger in made.loggers:
        lines.append(f"HJ 212 {logger.source} calls {logger.address} as station {logger.station}")
        lines += [f"  {_number(logger.tags, 'tag'):>11}  {logger.scans_per_s:>9.3f} frames/s", ""]
    for server in made.servers:
        lines.append(f"OPC UA {server.source} at {server.address} ({server.security})")
        lines.extend(
            f"  every {one.period_s:g} s: {_number(one.tags, 'tag')}, {_number(one.subscriptions, 'subscription')}"
            for one in server.classes
        )
        lines.append("")
    age = f"{made.raw_days} days raw, {max(ROLLUP_DAYS, made.raw_days)} days of minutes"
    lines += [
        f"{'scans':<22}{made.scans_per_s:>14,.1f} /s",
        f"{'samples':<22}{made.samples_per_s:>14,.1f} /s",
        f"{'Modbus requests':<22}{made.requests_per_s:>14,.1f} /s",
        f"{'Modbus registers':<22}{made.registers_per_s:>14,.1f} /s",
        f"{'MQTT messages':<22}{made.messages_per_s:>14,.1f} /s",
        f"{'one processor core':<22}{made.core_percent:>14,.2f} % (estimate)",
        f"{'history, raw values':<22}{made.disk_bytes_per_day / 1e6:>14,.1f} MB a day (estimate)",
        f"{'history, full age':<22}{made.disk_bytes_kept / 1e9:>14,.2f} GB ({age}; estimate)",
    ]
    lines += [f"note: {note}" for note in made.notes]
    return "\n".join(lines)


def _number(n: int, word: str) -> str:
    return f"{n:,} {word}{'' if n == 1 else 's'}"


def _render_device(device: PlannedDevice) -> list[str]:
    lines = [f"Modbus {device.source} at {device.address}, device {device.device_id} ({device.protocol})"]
    for one in device.classes:
        tags, requests = _number(one.tags, "tag"), _number(len(one.requests), "request")
        lines.append(f"  every {one.period_s:g} s: {tags}, {requests} a cycle")
        lines.extend(
            f"    function {request.function} {request.table:<8} {request.address:>5} … "
            f"{request.address + request.count - 1:>5}  {_number(request.count, 'word'):>9}, {request.unused} unused, "
            f"{_number(request.tags, 'tag')}"
            for request in one.requests[:REQUESTS_SHOWN]
        )
        if len(one.requests) > REQUESTS_SHOWN:
            lines.append(f"    … and {len(one.requests) - REQUESTS_SHOWN} more")
    lines.append("")
    return lines
