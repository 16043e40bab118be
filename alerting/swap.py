"""Swap: a new revision of the configuration takes the place of the running one, for all that the safety path remembers.

Flow: running table, new table -> [prepare, aside] -> Prepared -> Desk.finish, at the end of a tick -> events
Why: rules, tags and devices are changed while a plant runs, and nothing that rings, waits or is shelved may be lost by
it.
Never: changes an identity. An alarm hangs on tag and rule group; its rule's revision stands in the event's cause.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from alerting.core import Changes, Memory
from alerting.core.derived import DerivedTable
from alerting.core.formula import compiled
from alerting.core.guard import Guard
from alerting.core.many import Indexes
from alerting.core.swap import TOLD, Exchange, compare, same
from alerting.model.derivation import Derivation
from alerting.model.philosophy import Philosophy
from alerting.model.rule import Author, Rule, RuleTable
from alerting.model.tiering import Tiering
from alerting.model.unit import HazardUnit
from alerting.response.task import TaskTemplate
from edge.config import Source
from edge.model import Nature, Tag, TagTable

#: What of a rule no alarm shows and no event says.
SILENT = frozenset({"revision", "response", "rationale"})
_SAID = tuple(sorted(TOLD - SILENT))


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What of a site may change beside its rules; the tags come with the rule table.

    Attributes:
        restarted: Ids of the sources whose collector begins anew; they are in ``sources``.
        began: Epoch with which the count of sources that were not there begins.
        unlike: Names of the tags that were there before and are measured otherwise now.
    """

    sources: tuple[Source, ...]
    derived: tuple[Derivation, ...] = ()
    units: tuple[HazardUnit, ...] = ()
    tiering: Tiering
    philosophy: Philosophy = field(default_factory=Philosophy)
    tasks: tuple[TaskTemplate, ...] = ()
    restarted: frozenset[str] = frozenset()
    began: Mapping[str, int] = field(default_factory=dict)
    unlike: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Everything about a swap that can be made before its tick.

    Attributes:
        number: The revision that takes over.
        blanks, guards: One of each nature that has a memory.
        touched: Alarms of the new table, of whose rules one is new, gone or says something else, ascending.
        changed: Rules that are new or differ in anything, by id; ``gone`` the ids of those that are no more.
        beside: What else changes; None where it is the rules alone.
        derived: How tags are derived then; None where nothing beside the rules changes.
    """

    number: int
    exchange: Exchange
    blanks: Mapping[Nature, Memory]
    guards: Mapping[Nature, Guard]
    touched: tuple[int, ...]
    changed: tuple[Rule, ...]
    gone: tuple[str, ...]
    beside: Beside | None = None
    derived: DerivedTable | None = None


def prepare(
    old: RuleTable, new: RuleTable, natures: Iterable[Nature], number: int, beside: Beside | None = None
) -> Prepared:
    """Make a swap ready; takes seconds on a large site, so it is done off the road.

    Args:
        natures: Those that have a memory now.
        number: Of the new revision.
        beside: What else changes; without it the tags of both tables are the same.
    """
    assert beside is not None or old.tags.names == new.tags.names, "a swap of the rules alone keeps the tags"
    exchange = compare(old, new) if beside is None else compare(old, new, beside.unlike, beside.restarted)
    compiled(new)
    natures = tuple(dict.fromkeys([*natures, *(tag.nature for tag in new.tags)]))
    return Prepared(
        number=number,
        exchange=exchange,
        beside=beside,
        derived=None if beside is None else DerivedTable(beside.derived, new.tags),
        blanks={nature: blank(new, nature) for nature in natures},
        guards={nature: Guard(new) for nature in natures},
        touched=_touched(exchange),
        changed=tuple(rule for rule in new if not _is_equal(rule, old)),
        gone=tuple(old[int(k)].id for k in exchange.gone),
    )


def blank(table: RuleTable, nature: Nature, start_ns: int = 0) -> Memory:
    """Make a memory of one nature in which nothing has been seen; tags of others are not watched for silence in it."""
    memory = Memory.fresh(table, start_ns)
    memory.is_watched[:] = [tag.nature is nature for tag in table.tags]
    return memory


def is_measured_alike(one: Tag, other: Tag) -> bool:
    """Tell whether what a tag said before is what it would say now."""
    return (one.source, one.nature, one.address) == (other.source, other.nature, other.address)


def table_after(
    old: RuleTable,
    changed: Iterable[Rule],
    gone: Iterable[str],
    tags: TagTable | None = None,
    authors: Mapping[int, Author] | None = None,
) -> RuleTable:
    """Give the table that a recorded swap led to; with its tags where these changed too, and who made its revisions."""
    rules = {rule.id: rule for rule in old} | {rule.id: rule for rule in changed}
    for name in gone:
        del rules[name]
    return RuleTable(list(rules.values()), tags or old.tags, old.authors if authors is None else authors)


def retold(prepared: Prepared, nature: Nature, memory: Memory, now_ns: int) -> Iterator[tuple[int, Changes]]:
    """Give for each touched alarm of a nature its outermost active rule as a change, so that it can be compared anew.

    Yields:
        The alarm's place and a report of one row; alarms without an active rule are left out.
    """
    table = prepared.exchange.new
    watermark = memory.watermarks(now_ns)
    for place in prepared.touched:
        active = np.flatnonzero(memory.is_active[table.alarm_first[place] : table.alarm_first[place + 1]])
        row = int(table.row[table.alarm_first[place]])
        is_hidden = table[int(table.alarm_first[place])].is_hidden
        if len(active) == 0 or is_hidden or table.tags[row].nature is not nature:
            continue
        rule: Indexes = np.array([int(table.alarm_first[place]) + int(active[-1])])
        other = table.other_row[rule]
        yield (
            place,
            Changes(
                rule.astype(np.int32),
                np.ones(1, dtype=np.bool_),
                np.array([watermark[memory.source[row]]], dtype=np.int64),
                memory.value[[row]],
                memory.quality[[row]],
                np.where(other >= 0, memory.value[other], np.nan),
            ),
        )


def _touched(exchange: Exchange) -> tuple[int, ...]:
    old, new = exchange.old, exchange.new
    judged = set(exchange.judged.tolist())
    for here, there in zip(exchange.here.tolist(), exchange.there.tolist(), strict=True):
        if any(not same(getattr(old[there], name), getattr(new[here], name)) for name in _SAID):
            judged.add(here)
    found = {int(new.alarm[k]) for k in judged}
    place_of = {alarm: place for place, alarm in enumerate(new.alarms)}
    gone = {place_of.get((rule.tag, rule.group), -1) for rule in (old[int(k)] for k in exchange.gone)}
    return tuple(sorted((found | gone) - {-1}))


def _is_equal(rule: Rule, old: RuleTable) -> bool:
    place = old.index_of.get(rule.id)
    if place is None:
        return False
    other = old[place]
    return rule is other or all(same(getattr(rule, name), getattr(other, name)) for name in Rule.__dataclass_fields__)
