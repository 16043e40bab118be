"""Shared subscriptions: topics that a broker deals out among the members of a group, and the nodes that bring them.

Why: each message goes to one member, whichever is next. So all members must feed one gateway, their parts come in an
    order that nobody keeps, and what hears a topic whole beside the group hears it twice. What cannot be right under
    that is refused here; what has consequences is said.
"""

from collections.abc import Sequence
from typing import Final

from edge.collect.mqtt.topic import SHARE, overlap, parted
from edge.config import MqttOptions, Source, TopicOptions
from edge.load.entry import Entry
from edge.load.mistake import show
from edge.load.words import ID_RULE, is_id

NODES_MAX: Final = 32  # Ours: a group is a few machines; a list of hundreds is a mistake.
SPARKPLUG: Final = "spBv1.0"
_FORM: Final = "a shared subscription is $share/, a group, / and a topic"


def wrong_share(pattern: str) -> str:
    """Give the rule of shared subscriptions that a pattern breaks, empty where it is right or none (§4.8.2)."""
    if pattern != SHARE.rstrip("/") and not pattern.startswith(SHARE):
        return ""
    group, heard = parted(pattern)
    if not group or not heard:
        return _FORM
    if set(group) & set("+#{}"):
        return "the group of a shared subscription has no wildcard and no brace"
    if heard.startswith(f"{SPARKPLUG}/") or heard == SPARKPLUG:
        return "Sparkplug counts its messages (seq, bdSeq), and a member that hears a part of them can follow none"
    return ""


def read_nodes(entry: Entry) -> tuple[str, ...]:
    """Read which edge node brings a source, or which ones bring it in parts."""
    if not entry.has("nodes"):
        one = entry.required("node", f"it is the name of an edge node; {ID_RULE}", is_id)
        return (one,) if one else ()
    if entry.has("node"):
        entry.wrong("node", "node is given and nodes too.", "Name all of the group in nodes, or the only one in node.")
    names = entry.texts("nodes")
    for at, name in enumerate(names):
        if not is_id(name):
            entry.wrong(("nodes", at), f"node {show(name)} is no name of an edge node; {ID_RULE}.", "Write another.")
        elif name in names[:at]:
            entry.wrong(("nodes", at), f"node {show(name)} stands twice.", "Name each node once.")
    if not 2 <= len(names) <= NODES_MAX:  # noqa: PLR2004 - a group of one shares with nobody
        entry.wrong(
            "nodes",
            f"nodes names {len(names)}; a topic is shared by 2 to {NODES_MAX}.",
            'Name the members of the group, or write node = "…" for one.',
        )
    return names


def check_shared(entry: Entry, topics: Sequence[Entry], broker: MqttOptions) -> None:
    """Refuse what cannot be right of a source's shared topics, and say what follows from the rest."""
    options = broker.topics
    shared = [(at, one) for at, one in enumerate(options) if parted(one.pattern)[0] and not wrong_share(one.pattern)]
    if not shared:
        return
    group = parted(shared[0][1].pattern)[0]
    for at, one in enumerate(options):
        other = parted(one.pattern)[0]
        if not other and one.pattern:
            topics[at].wrong(
                "pattern",
                f"pattern {show(one.pattern)} is heard whole, beside the share of group {show(group)}; each member of "
                "the group would bring it once more.",
                "Give it a source of its own, or share it too.",
            )
        for _, before in [each for each in shared if each[0] < at]:
            if other and other != parted(before.pattern)[0] and overlap(one.pattern, before.pattern):
                topics[at].wrong(
                    "pattern",
                    f"pattern {show(one.pattern)} hears what {show(before.pattern)} hears, in another group; it would "
                    "come twice.",
                    "Write one group.",
                )
    for at, one in shared:
        if one.format == "event" and not one.time:
            topics[at].wrong(
                "time",
                "events of a shared topic carry no time; the last one to come may be the older, and would stand.",
                'Add time = "…", or hear the topic whole.',
            )
        elif _is_without_time(one):
            topics[at].warn(
                "pattern",
                "the values of a shared topic carry no time; which of two is newer, the members' clocks say.",
                "Send the time along, or keep the clocks of the members together.",
            )
    topics[shared[0][0]].warn(
        "pattern",
        f"the broker deals out what group {show(group)} hears, each message to one member; what comes after a newer "
        "value of its tag is kept in the history and not judged.",
        'Let all members feed one gateway, which names their nodes in nodes = ["…", "…"].',
    )
    topics[shared[0][0]].warn(
        "pattern",
        f"the broker goes on dealing to a member that is away and keeps that for {broker.session_s} s (session_s); "
        "then it is lost."
        if broker.version == "5"
        else "the broker goes on dealing to a member that is away and keeps that until it ends the session itself.",
        "Give session_s the longest time that a member may be away; end the session of one that is taken out."
        if broker.version == "5"
        else "Set at the broker how long sessions last; end the session of a member that is taken out.",
    )
    if broker.version == "3.1.1":
        entry.warn(
            "version",
            "MQTT 3.1.1 has no shared subscriptions; a broker that does not know them takes $share for a topic's name, "
            "and nothing comes.",
            'Write version = "5", by which a broker says that it has none; or make sure that this one has them.',
        )


def _is_without_time(topic: TopicOptions) -> bool:
    if topic.format in ("json-value", "json-batch"):
        return not topic.time
    return topic.format == "number" or (topic.format == "binary" and topic.time_at < 0)


def check_groups(sources: Sequence[tuple[Source, Entry]]) -> None:
    """Refuse two sources of one file in one group: what is dealt to one is unknown to the other."""
    seen: list[tuple[str, str, Source]] = []
    for source, entry in sources:
        if source.mqtt is None:
            continue
        for at, topic in enumerate(source.mqtt.topics):
            group = parted(topic.pattern)[0]
            if not group or wrong_share(topic.pattern):
                continue
            for host, port in source.mqtt.brokers:
                place = f"{host}:{port}"
                for known, pattern, other in seen:
                    same = known == place and parted(pattern)[0] == group and other.id != source.id
                    if same and overlap(pattern, topic.pattern):
                        entry.wrong(
                            ("topic", at, "pattern"),
                            f"source {other.id} hears {show(topic.pattern)} in the same group; a tag has one source, "
                            "and what is dealt to the other would be lost.",
                            "Let one source hear it here, and edge nodes share it.",
                        )
                        break
                else:
                    seen.append((place, topic.pattern, source))
