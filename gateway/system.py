"""The gateway as a hazard unit of its own: its clock, its links, what it lost and what waits.

Flow: counters -> [system scan, once a second] -> the same road as every other reading
Why: a gateway that fails silently is the worst alarm of all; its own faults ring like a tank's.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from alerting.model.crowd_policy import CrowdShare
from alerting.model.quantity_share import QuantityShare
from alerting.model.rule import Kind, Rule, RuleTable
from alerting.model.tier import Tier
from alerting.model.unit import HazardUnit
from edge.config import Source
from edge.model import Nature, Quality, Scan, Tag, TagTable
from gateway.config import Destination, Site

SOURCE = "fengsui"
PERIOD_S = 1.0
#: How often what is counted of each source goes down the road, in periods: counters move slowly, and there are many.
COUNTED_EVERY = 10

#: What is told of each source beside its link: name, title, engineering unit. Of a node's source what the node tells.
OF_SOURCE = (
    ("silence", "Time since {source} last answered", "{source} 距上次应答时间", "s", True),
    ("errors", "Failed requests and refused messages of {source}", "{source} 失败与拒收数", "1/min", True),
    ("requests", "Requests to, or messages of {source}", "{source} 请求或消息数", "1/min", False),
    ("bytes", "Bytes from and to {source}", "{source} 字节数", "B/min", False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Point:
    name: str
    en: str
    zh: str
    eu: str
    setpoint: float
    tier: Tier
    on_delay_s: float
    response_en: str
    response_zh: str


#: What the gateway watches about itself; setpoints are ours.
POINTS = (
    _Point(
        name="clock_offset",
        en="Wall clock against receive time",
        zh="系统时钟偏差",
        eu="s",
        setpoint=2.0,
        tier=Tier.BLUE,
        on_delay_s=0.0,
        response_en="Check the time service of this machine.",
        response_zh="检查本机时间同步服务。",
    ),
    _Point(
        name="clock_replaced",
        en="Samples with a wrong clock",
        zh="时钟错误的样本数",
        eu="1/min",
        setpoint=1.0,
        tier=Tier.BLUE,
        on_delay_s=60.0,
        response_en="Find the source with the wrong clock on the flow page and set its time.",
        response_zh="在数据链路页查找时钟错误的数据源并校时。",
    ),
    _Point(
        name="scans_dropped",
        en="Samples dropped at intake",
        zh="入口丢弃的样本数",
        eu="1/min",
        setpoint=1.0,
        tier=Tier.YELLOW,
        on_delay_s=0.0,
        response_en="The gateway is overloaded; look at the flow page.",
        response_zh="网关过载,请查看数据链路页。",
    ),
    _Point(
        name="away",
        en="Time in which the gateway judged nothing",
        zh="网关停止判断的时间",
        eu="s/min",
        setpoint=6.0,
        tier=Tier.YELLOW,
        on_delay_s=0.0,
        response_en="The gateway is overloaded or its machine stood still: silent tags are told later by this time.",
        response_zh="网关过载或主机停顿:数据中断的报警将相应推迟,请检查主机负载。",
    ),
    _Point(
        name="store_waiting",
        en="Ticks not yet written to disk",
        zh="尚未落盘的批次数",
        eu="",
        setpoint=1.0,
        tier=Tier.ORANGE,
        on_delay_s=2.0,
        response_en="Check the disk of the register; warnings go on from memory.",
        response_zh="检查台账磁盘;预警由内存继续。",
    ),
    _Point(
        name="historian_lost",
        en="Values lost by the historian",
        zh="历史库丢失的数据量",
        eu="1/min",
        setpoint=1.0,
        tier=Tier.BLUE,
        on_delay_s=0.0,
        response_en="Check the disk of the historian.",
        response_zh="检查历史库磁盘。",
    ),
    _Point(
        name="push_waiting",
        en="Notices that no authority has received",
        zh="等待送达的推送通知",
        eu="",
        setpoint=1.0,
        tier=Tier.BLUE,
        on_delay_s=300.0,
        response_en="Check the link to the authority; call by phone if a warning is urgent.",
        response_zh="检查与监管部门的链路;紧急预警请改用电话上报。",
    ),
)

#: The gateway's own link to the broker that edge nodes send through; only where the site names one.
NODE_BROKER = "node_broker"

CROWD_EN, CROWD_ZH = "Head count of {zone}, share of the capacity in force", "{zone} 在园人数占现行承载量比例"


def share_name(zone: str) -> str:
    """Name the tag of a crowd zone, without the prefix."""
    return f"crowd.{zone}"


def own_tag(zone: str) -> str:
    """Name the tag of a crowd zone."""
    return f"{SOURCE}.{share_name(zone)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Quantity:
    """What is watched of a hazard unit's live quantities, and from when it rings where the site has no own rule."""

    name: str
    en: str
    zh: str
    eu: str
    setpoint: float
    deadband: float
    response_en: str
    response_zh: str


#: GB 18218-2018, 4.2: the quantity of a unit is its design maximum; what is above it, or above what was filed, the
#: grade does not cover. Tier, delays and deadband are ours. Exactly 100 % is no more than allowed.
QUANTITIES: Final = (
    _Quantity(
        name="design",
        en="{dossier}: live quantity, share of the design maximum",
        zh="{dossier} 实时存量占设计最大量比例",
        eu="%",
        setpoint=100.01,
        deadband=0.5,
        response_en="Stop what flows in; more is there than the unit was designed and graded for.",
        response_zh="停止进料:实时存量超过设计最大量,单元的设计与分级均未涵盖。",
    ),
    _Quantity(
        name="filed",
        en="{dossier}: live quantity, share of the filed one",
        zh="{dossier} 实时存量占备案量比例",
        eu="%",
        setpoint=100.01,
        deadband=0.5,
        response_en="Bring it below what was filed, or grade and file the unit anew.",
        response_zh="降至备案量以下,或重新辨识、分级并备案。",
    ),
    _Quantity(
        name="unfiled",
        en="{dossier}: substances that were not filed",
        zh="{dossier} 未备案物质数",
        eu="",
        setpoint=1.0,
        deadband=0.0,
        response_en="Find out what it is and why; identify, grade and file the unit anew.",
        response_zh="核实物质及来源,重新辨识、分级并备案。",
    ),
)


def quantity_name(dossier: str, what: str) -> str:
    """Name a tag of a hazard unit's live quantities, without the prefix."""
    return f"quantity.{dossier}.{what}"


def _quantity_rules(share: QuantityShare, spoken_for: Collection[str]) -> list[Rule]:
    """Ring where the site has no rule of its own about the tag."""
    return [
        Rule(
            id=f"{tag}.H",
            tag=tag,
            kind=Kind.H,
            setpoint=one.setpoint,
            deadband=one.deadband,
            tier=Tier.YELLOW,
            on_delay_s=10.0,
            off_delay_s=60.0,
            response={"en": one.response_en, "zh": one.response_zh},
        )
        for one in QUANTITIES
        if (tag := f"{SOURCE}.{quantity_name(share.dossier, one.name)}") not in spoken_for
    ]


#: Only where the site has reports by mail.
REPORT_POINTS = (
    _Point(
        name="reports_unsent",
        en="Mails of reports that do not go",
        zh="未能发出的报告邮件数",
        eu="",
        setpoint=1.0,
        tier=Tier.YELLOW,
        on_delay_s=0.0,
        response_en="Look at Reports by mail on the page Channels: put mail server or address right and send again.",
        response_zh="请在通知渠道页查看报告邮件:处理邮件服务器或地址后重新发送。",
    ),
)
REPORTS_UNSENT = f"{SOURCE}.{REPORT_POINTS[0].name}"

#: Only where a source comes by an edge node.
NODE_POINTS = (
    _Point(
        name="nodes_lost",
        en="Records lost by edge nodes",
        zh="边缘节点丢失的记录数",
        eu="1/min",
        setpoint=1.0,
        tier=Tier.YELLOW,
        on_delay_s=0.0,
        response_en="Find the node on the flow page; what its spool lost was never judged. Check its disk and link.",
        response_zh="在数据链路页查找该节点;其缓存丢失的数据未参与判断。检查其磁盘与链路。",
    ),
)


#: What is watched about each destination: how long it has not confirmed, and what it never took.
DESTINATION_TAGS = (
    ("unconfirmed", "{name} has not confirmed for", "{name} 未回执时长", "min"),
    ("quarantined", "Notices that {name} never takes", "{name} 永久拒收的通知数", ""),
)


def _destination_rules(destination: Destination) -> list[Rule]:
    """Ring once a destination: who does not answer is called by telephone."""
    phones = ", ".join(destination.phones)
    en = f" Call: {phones}." if phones else " No telephone is configured for it (phones)."
    zh = f"请致电:{phones}。" if phones else "未配置其联系电话(phones)。"
    late = Rule(
        id=f"{SOURCE}.unconfirmed.{destination.id}.H",
        tag=f"{SOURCE}.unconfirmed.{destination.id}",
        kind=Kind.H,
        setpoint=destination.confirm_min,
        tier=Tier.YELLOW,
        response={
            "en": f"{destination.id} has not confirmed what it was told; tell it by telephone what stands.{en}",
            "zh": f"{destination.id} 未回执已推送的预警,请电话告知当前预警。{zh}",
        },
    )
    aside = Rule(
        id=f"{SOURCE}.quarantined.{destination.id}.H",
        tag=f"{SOURCE}.quarantined.{destination.id}",
        kind=Kind.H,
        setpoint=1.0,
        tier=Tier.YELLOW,
        response={
            "en": f"{destination.id} refuses notices for good; look at the ledger, put it right and resend.{en}",
            "zh": f"{destination.id} 永久拒收部分通知,请在推送台账中查看、处理后重发。{zh}",
        },
    )
    return [late, aside]


def main_nature(site: Site) -> Nature:
    """Give the nature that most sources have; ACTUAL wins a tie."""
    natures = Counter(source.nature for source in site.sources)
    if natures[Nature.ACTUAL]:  # One real sensor makes a real site.
        return Nature.ACTUAL
    return max(Nature, key=lambda nature: (natures[nature], nature is Nature.ACTUAL))


def with_system(site: Site) -> Site:
    """Add the gateway's own source, unit, tags and rules to a site; one link tag per source."""
    nature = main_nature(site)
    points = POINTS + (NODE_POINTS if any(source.node for source in site.sources) else ())
    has_broker = site.node_broker is not None
    tags = own_tags(
        site.sources, nature, has_node_broker=has_broker, shares=site.crowd.shares, quantities=site.quantities
    )
    if site.reports:
        points += REPORT_POINTS
        tags += [_tag(point.name, point.en, point.zh, point.eu, nature) for point in REPORT_POINTS]
    tags += [
        _tag(f"{name}.{one.id}", en.format(name=one.id), zh.format(name=one.id), eu, nature)
        for one in site.destinations
        for name, en, zh, eu in DESTINATION_TAGS
    ]
    rules = [rule for point in points for rule in _rules(point)]
    rules += [rule for one in site.destinations for rule in _destination_rules(one)]
    spoken_for = {rule.tag for rule in site.own_rules}
    rules += [rule for one in site.quantities for rule in _quantity_rules(one, spoken_for)]
    for source in site.sources:
        name = f"link.{source.id}"
        rules.append(
            Rule(
                id=f"{SOURCE}.{name}.L",
                tag=f"{SOURCE}.{name}",
                kind=Kind.L,
                setpoint=0.5,
                tier=Tier.YELLOW,
                on_delay_s=5.0,
                response={
                    "en": "Check the device, its power and its cable; its values are not being judged.",
                    "zh": "检查设备、电源与线路;其数据目前未参与判断。",
                },
            )
        )
    if site.node_broker is not None:
        rules.append(
            Rule(
                id=f"{SOURCE}.{NODE_BROKER}.L",
                tag=f"{SOURCE}.{NODE_BROKER}",
                kind=Kind.L,
                setpoint=0.5,
                tier=Tier.YELLOW,
                on_delay_s=5.0,
                response={
                    "en": "Check the broker of the edge nodes and its network; nodes keep what they read meanwhile.",
                    "zh": "检查边缘节点所用的消息服务器及其网络;其间数据由各节点缓存。",
                },
            )
        )
    table = TagTable([*site.tags, *tags])
    unit = HazardUnit(id=SOURCE, title={"en": "Gateway", "zh": "监测网关"}, kind="gateway", area="")
    return replace(
        site,
        sources=(*site.sources, Source(id=SOURCE, protocol="system", nature=nature)),
        tags=table,
        units=(*site.units, unit),
        rules=RuleTable([*site.rules, *rules, *site.own_rules], table, site.rules.authors),
    )


def own_tags(
    sources: Sequence[Source],
    nature: Nature,
    *,
    has_node_broker: bool = False,
    shares: Sequence[CrowdShare] = (),
    quantities: Sequence[QuantityShare] = (),
) -> list[Tag]:
    """Give the gateway's own tags: what it watches about itself, each source, crowd zones and live quantities."""
    points = POINTS + (NODE_POINTS if any(source.node for source in sources) else ())
    tags = [_tag(point.name, point.en, point.zh, point.eu, nature) for point in points]
    tags += [
        replace(
            _tag(share_name(one.zone), CROWD_EN.format(zone=one.zone), CROWD_ZH.format(zone=one.zone), "%", nature),
            unit=one.unit,
        )
        for one in shares
    ]
    for share in quantities:
        tags += [
            replace(
                _tag(
                    quantity_name(share.dossier, one.name),
                    one.en.format(dossier=share.dossier),
                    one.zh.format(dossier=share.dossier),
                    one.eu,
                    nature,
                ),
                unit=share.unit,
            )
            for one in QUANTITIES
        ]
    if has_node_broker:
        tags.append(_tag(NODE_BROKER, "Link to the broker of the edge nodes", "边缘节点消息服务器链路", "", nature))
    for source in sources:
        tags.append(_tag(f"link.{source.id}", f"Link to {source.id}", f"{source.id} 链路", "", nature))
        tags += [
            _tag(
                f"{name}.{source.id}",
                en.format(source=source.id),
                zh.format(source=source.id),
                eu,
                nature,
                COUNTED_EVERY,
            )
            for name, en, zh, eu, is_of_nodes in OF_SOURCE
            if is_of_nodes or not source.node
        ]
    return tags


def system_scan(site: Site, epoch: int, number: int, now_ns: int, values: Mapping[str, float]) -> Scan:
    """Make the gateway's scan of itself from values by tag name without the prefix."""
    rows = np.array([site.tags.row_of[f"{SOURCE}.{name}"] for name in values], dtype=np.int32)
    shown = np.array(list(values.values()), dtype=np.float64)
    is_known = np.isfinite(shown)  # Of a zone whose head count or capacity nobody knows.
    return Scan(
        source=SOURCE,
        epoch=epoch,
        number=number,
        received_ns=now_ns,
        rows=rows,
        values=shown,
        quality=np.where(is_known, np.uint8(Quality.GOOD), np.uint8(Quality.BAD)),
        times_ns=np.full(len(rows), now_ns, dtype=np.int64),
        nature=site.tags[int(rows[0])].nature,
    )


def _tag(name: str, en: str, zh: str, eu: str, nature: Nature, every: int = 1) -> Tag:
    return Tag(
        name=f"{SOURCE}.{name}",
        title={"en": en, "zh": zh},
        source=SOURCE,
        unit=SOURCE,
        eu=eu,
        kind="state",
        period_s=PERIOD_S * every,
        nature=nature,
    )


def _rules(point: _Point) -> list[Rule]:
    high = Rule(
        id=f"{SOURCE}.{point.name}.H",
        tag=f"{SOURCE}.{point.name}",
        kind=Kind.H,
        setpoint=point.setpoint,
        tier=point.tier,
        on_delay_s=point.on_delay_s,
        response={"en": point.response_en, "zh": point.response_zh},
    )
    if point.name != "clock_offset":
        return [high]
    low = replace(high, id=f"{SOURCE}.{point.name}.L", kind=Kind.L, setpoint=-point.setpoint)
    return [high, low]
