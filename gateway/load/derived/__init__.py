"""Derived tags: what the ``[[derived]]`` tables say, as tags and as derivations.

Flow: entries -> [read names, order the chains, check units and natures] -> tags beside the measured ones, Derivations
Why: a tag that is computed from itself, or from litres taken for cubic metres, must not start.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

from alerting.model.derivation import DERIVED, Derivation, Scale, source_of
from edge.load.entry import Entry, Span
from edge.load.mistake import meant, show
from edge.load.tag import PERIOD, TagDraft
from edge.load.words import RESERVED, TAG_RULE, is_tag, keys_of
from edge.model import Nature, Tag
from gateway.load.derived.kinds import KINDS, KindSpec
from gateway.load.derived.model import KIND as MODELLED
from gateway.load.derived.model import check_alike
from gateway.load.derived.parts import OWN_PARTS, Draft
from gateway.load.derived.strapping import read_table
from gateway.load.derived.units import SAME, scale_of, units_of

__all__ = ["read_derived"]

GAP_PERIODS: Final = 3  # As for silence (design §3): three scans.
GAP_S_LEAST: Final = 10.0


@dataclass(slots=True)
class _Draft:
    """One entry on its way: ``spec`` is None where its kind is unknown."""

    entry: Entry
    inputs_entry: Entry
    tag: str
    kind: str
    spec: KindSpec | None
    inputs: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def asked(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(chain.from_iterable(self.inputs.values())))


def read_derived(entries: Iterable[Entry], tags: list[TagDraft], timezone: str) -> list[Derivation]:
    """Read all derived tags; they are appended to the tags, in an order in which each comes after its inputs."""
    known = {draft.tag.name: draft for draft in tags}
    drafts: dict[str, _Draft] = {}
    nameless: list[_Draft] = []
    for entry in entries:
        draft = _read_names(entry)
        where = known.get(draft.tag) or drafts.get(draft.tag)
        if where is not None and draft.tag:
            place = (where.row if isinstance(where, TagDraft) else where.entry).place("tag")
            entry.wrong("tag", f"it stands twice; {place.file}:{place.line} has it already.", "Rename one of the two.")
        if draft.tag and where is None:
            drafts[draft.tag] = draft
        else:
            nameless.append(draft)
    names = (*known, *drafts)
    for draft in (*drafts.values(), *nameless):
        _check_inputs(draft, names)
    made: list[Derivation] = []
    raw: dict[str, set[str]] = {name: {draft.tag.source} for name, draft in known.items()}
    for draft in _in_order(drafts):
        derivation, tag = _settle(draft, known, raw, timezone)
        known[tag.name] = TagDraft(tag, draft.entry)
        tags.append(known[tag.name])
        if derivation is not None:
            made.append(derivation)
    for draft in nameless:
        _settle(draft, known, dict(raw), timezone)
    check_alike(made, {each.tag: known[each.tag].row for each in made})
    return made


def _read_names(entry: Entry) -> _Draft:
    """Read what an entry is called, what kind it is and what it is computed from."""
    name = entry.required("tag", TAG_RULE, is_tag)
    entry.who = f"Derived tag {show(name)[1:-1]}" if name else entry.who
    entry.refuse_unknown(keys_of("derived"))
    for word in (RESERVED, DERIVED):
        if name.startswith(f"{word}."):
            entry.wrong("tag", f'names that begin with "{word}." are kept for the gateway itself.', "Rename the tag.")
    kind = entry.choice("kind", tuple(KINDS), "")
    spec = KINDS.get(kind)
    if not entry.has("inputs"):
        entry.wrong("inputs", "inputs is missing; it names the tags to compute from.", 'Add inputs = { … = "…" }.')
    inputs = entry.section("inputs")
    inputs.who = entry.who
    draft = _Draft(entry, inputs, name, kind, spec)
    if spec is not None:
        _read_inputs(draft, spec)
    return draft


def _read_inputs(draft: _Draft, spec: KindSpec) -> None:
    """Read which tag fills which role, and refuse keys of other kinds."""
    entry, inputs, kind = draft.entry, draft.inputs_entry, draft.kind
    for key in entry.values:
        if key not in spec.keys and any(key in other.keys for other in KINDS.values()):
            entry.wrong(key, f"{key} is given; a {kind} has none.", f"Remove {key}.")
    for role in inputs.values:
        if role not in spec.roles:
            inputs.wrong(role, f"input {show(role)} is not known to a {kind}.", meant(role, tuple(spec.roles)))
    for role, what in spec.roles.items():
        if inputs.has(role):
            given = inputs.texts(role) if what.is_list else (inputs.text(role, rule="the name of one tag"),)
            draft.inputs[role] = tuple(name for name in given if name)
        if what.is_needed and not draft.inputs.get(role) and entry.has("inputs"):
            inputs.wrong(
                role if inputs.has(role) else (),
                f"input {role} is missing; a {kind} is computed from it.",
                f"Add {role} = {'[…]' if what.is_list else '…'} to inputs.",
            )
        elif draft.inputs.get(role) and len(draft.inputs[role]) < what.least:
            inputs.wrong(
                role, f"{role} names {len(draft.inputs[role])}; a {kind} takes at least {what.least}.", "Name more."
            )
    if spec.some_of and entry.has("inputs") and not any(draft.inputs.get(role) for role in spec.some_of):
        inputs.wrong(
            (), f"none of {', '.join(spec.some_of)} is given; a {kind} needs one.", "Add one of them to inputs."
        )


def _check_inputs(draft: _Draft, names: Sequence[str]) -> None:
    """Check that the inputs exist, each once."""
    seen: set[str] = set()
    for role, given in draft.inputs.items():
        for name in given:
            if name not in names:
                draft.inputs_entry.wrong(role, f"tag {show(name)} does not exist.", meant(name, names))
            elif name in seen:
                draft.inputs_entry.wrong(role, f"tag {name} is named twice in inputs.", "Name each input once.")
            seen.add(name)


def _in_order(drafts: Mapping[str, _Draft]) -> list[_Draft]:
    """Put the chains in order; what is left over goes round in a circle, and is told."""
    done: dict[str, _Draft] = {}
    waiting = dict(drafts)
    while True:
        ready = [name for name, draft in waiting.items() if not any(asked in waiting for asked in draft.asked)]
        if not ready:
            break
        for name in ready:
            done[name] = waiting.pop(name)
    circular = {name for name in waiting if name in _reached(name, waiting)}
    for name, draft in waiting.items():
        if name in circular:
            way = " → ".join((name, *(asked for asked in draft.asked if asked in circular)))
            draft.inputs_entry.wrong(
                (), f"it is computed from itself: {way}.", "Take one of the tags of the circle out of inputs."
            )
    return [*done.values(), *waiting.values()]


def _reached(name: str, drafts: Mapping[str, _Draft]) -> set[str]:
    """Give all derived tags that a tag is computed from."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        for asked in drafts[waiting.pop()].asked:
            if asked in drafts and asked not in found:
                found.add(asked)
                waiting.append(asked)
    return found


def _settle(
    draft: _Draft, known: Mapping[str, TagDraft], raw: dict[str, set[str]], timezone: str
) -> tuple[Derivation | None, Tag]:
    """Make the tag and the derivation, now that the inputs are known; no derivation where there is a mistake."""
    entry = draft.entry
    before = len(entry.reading.mistakes)
    inputs = [known[name].tag for name in draft.asked if name in known]
    natures = list(dict.fromkeys(tag.nature for tag in inputs))
    if len(natures) > 1:
        entry.wrong(
            "inputs",
            f"its inputs have different natures ({', '.join(natures)}); natures never mix.",
            "Take inputs of one nature.",
        )
    sources = {source for tag in inputs for source in raw.get(tag.name, set())}
    raw[draft.tag] = sources
    lo, hi = entry.number_or_none("range_lo"), entry.number_or_none("range_hi")
    if lo is not None and hi is not None and lo >= hi:
        entry.wrong("range_lo", f"range_lo ({lo:g}) must be below range_hi ({hi:g}).", "Put the range right.")
    tag = Tag(
        name=draft.tag,
        source=source_of(sources),
        title=entry.titles("title", draft.tag),
        unit=entry.text("unit"),
        eu=entry.text("eu"),
        range_lo=float("nan") if lo is None else lo,
        range_hi=float("nan") if hi is None else hi,
        resolution=entry.number("resolution", 0.0, Span(least=0)),
        period_s=entry.number("period_s", _period_s(draft, inputs), PERIOD),
        kind=_measured(draft.spec, inputs),
        nature=natures[0] if natures else Nature.ACTUAL,
    )
    derivation = None if draft.spec is None else _derivation(draft, draft.spec, tag, known, timezone)
    return (None if len(entry.reading.mistakes) > before else derivation), tag


def _period_s(draft: _Draft, inputs: Sequence[Tag]) -> float:
    """Give how often it comes where nothing is said: as the quickest input; a learned model as the slowest."""
    choose = max if draft.kind == MODELLED else min
    return choose((tag.period_s for tag in inputs), default=1.0)


def _measured(spec: KindSpec | None, inputs: Sequence[Tag]) -> str:
    """Say what the tag measures: as its kind says, or what all its inputs measure."""
    if spec is None or spec.measures:
        return "" if spec is None else spec.measures
    kinds = {tag.kind for tag in inputs}
    return kinds.pop() if len(kinds) == 1 else ""


def _derivation(draft: _Draft, spec: KindSpec, tag: Tag, known: Mapping[str, TagDraft], timezone: str) -> Derivation:
    entry = draft.entry
    scale = scale_of(spec.dimension, tag.eu)
    if scale is None:
        entry.wrong(
            "eu",
            f"eu is {show(tag.eu)}; a {draft.kind} is given in one of {units_of(spec.dimension)}.",
            "Write one of them.",
        )
    scales: dict[str, tuple[Scale, ...]] = {}
    for role, given in draft.inputs.items():
        scales[role] = tuple(_scale(draft, spec, role, known[name].tag) for name in given if name in known)
    numbers: dict[str, float] = {}
    for key, what in spec.numbers.items():
        if what.default is None and not entry.has(key):
            entry.wrong(key, f"{key} is missing; a {draft.kind} needs it.", f"Add {key}.")
        default = None if what.default is None or math.isnan(what.default) else what.default
        number = entry.number_or_none(key, what.span, default)
        numbers[key] = (what.default if what.default is not None else 0.0) if number is None else number
        if what.is_whole and numbers[key] % 1:
            entry.wrong(key, f"{key} is {numbers[key]:g}; it must be a whole number.", "Write a whole number.")
    if "gap_s" in numbers and numbers["gap_s"] == 0:
        slowest_s = max((known[name].tag.period_s for name in draft.asked if name in known), default=1.0)
        numbers["gap_s"] = max(GAP_PERIODS * slowest_s, GAP_S_LEAST)
    words = {
        key: entry.choice(key, what.choices, "" if what.is_needed else what.choices[0])
        for key, what in spec.words.items()
    }
    extra = OWN_PARTS.get(draft.kind)
    if extra is not None:
        of = {role: [known[name].tag for name in given if name in known] for role, given in draft.inputs.items()}
        extra(Draft(entry, tag, of, numbers, words, timezone))
    return Derivation(
        tag=draft.tag,
        kind=draft.kind,
        inputs=dict(draft.inputs),
        scales=scales,
        scale=scale or (1.0, 0.0),
        numbers={key: number for key, number in numbers.items() if not math.isnan(number)},
        words=words,
        table=read_table(entry) if draft.kind == "volume" else (),
    )


def _scale(draft: _Draft, spec: KindSpec, role: str, tag: Tag) -> Scale:
    what = spec.roles[role]
    dimension = what.dimension
    if what.instead is not None and draft.entry.values.get(what.instead[0]) == what.instead[1]:
        dimension = what.instead[2]
    found = scale_of(dimension, tag.eu)
    own = draft.entry.values.get("eu", "")
    if spec.dimension == SAME and tag.eu != own:
        draft.inputs_entry.wrong(
            role,
            f"tag {tag.name} is in {show(tag.eu)}, the {draft.kind} in {show(own)}; they must be the same.",
            "Name tags of one unit, and give eu that unit.",
        )
    if found is None:
        draft.inputs_entry.wrong(
            role,
            f"tag {tag.name} is in {show(tag.eu)}; input {role} is in one of {units_of(dimension)}.",
            "Put the tag's eu right, or name another tag.",
        )
    return found or (1.0, 0.0)
