"""Rules that a site has about the gateway's own tags: ``[[rule]]`` with ``tag = "fengsui.errors.plc"``.

Why: how many errors a source may have, and for how long, is known by who runs the site. These tags are made at start,
     so their rules are read apart from those of the tag tables, and take over with the files only.
"""

from collections.abc import Iterable, Sequence

from alerting.model.crowd_policy import CrowdShare
from alerting.model.quantity_share import QuantityShare
from alerting.model.rule import Rule
from edge.config import Source
from edge.load.entry import Entry
from edge.load.mistake import meant, show
from edge.load.words import RESERVED
from edge.model import Nature
from gateway.load.draft import RuleDraft
from gateway.load.rule import ORDER, check_tag, read_rule
from gateway.system import own_tags

LIMITS = tuple(kind.name for kind in ORDER)


def parted(entries: Iterable[Entry]) -> tuple[list[Entry], list[Entry]]:
    """Part the rules of the plant from those about the gateway's own tags."""
    plant: list[Entry] = []
    own: list[Entry] = []
    for entry in entries:
        (own if str(entry.values.get("tag", "")).startswith(f"{RESERVED}.") else plant).append(entry)
    return plant, own


def read_own(
    entries: Sequence[Entry],
    sources: Sequence[Source],
    shares: Sequence[CrowdShare] = (),
    quantities: Sequence[QuantityShare] = (),
) -> tuple[Rule, ...]:
    """Read the rules about the gateway's own tags; what is wrong is noted."""
    if not entries:
        return ()
    tags = {tag.name: tag for tag in own_tags(sources, Nature.ACTUAL, shares=shares, quantities=quantities)}
    found: dict[str, dict[str, RuleDraft]] = {}
    for entry in entries:
        name, kind = entry.text("tag", ""), entry.text("kind", "")
        if name not in tags:
            entry.wrong("tag", f"tag {show(name)} does not exist.", meant(name, tuple(tags)))
            continue
        if kind not in LIMITS:
            entry.wrong(
                "kind",
                f"kind is {show(kind)}; a tag of the gateway's own has limits only.",
                f"Write {', '.join(LIMITS)}.",
            )
            continue
        for key in ("enable", "schedule"):
            if entry.has(key):
                entry.wrong(key, f"{key} is given; a rule about the gateway itself is always judged.", f"Remove {key}.")
        draft = read_rule(entry, tags, tags)
        if draft is None:
            continue
        of_tag = found.setdefault(name, {})
        is_ours = name.startswith(f"{RESERVED}.link.") or name.count(".") == 1
        if kind in of_tag:
            entry.wrong("kind", f"{kind} of tag {name} is given twice.", "Remove one of the two.")
        elif is_ours:
            entry.wrong("tag", f"tag {name} has a rule of the gateway's own, which stays.", "Remove this rule.")
        else:
            of_tag[kind] = draft
    for name, drafts in found.items():
        check_tag(tags[name], {draft.rule.kind: draft for draft in drafts.values()})
    return tuple(draft.rule for drafts in found.values() for draft in drafts.values())
