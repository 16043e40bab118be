"""Shadow site: the running site as nature ``exercise``, with the rules that the story's plant can feed.

Why: a rule whose tags the plant does not measure would ring for silence; it is left out, and the record says how many.
"""

from collections.abc import Collection
from dataclasses import replace

from alerting.model.rule import Kind, Rule, RuleTable
from edge.model import Nature, TagTable
from gateway.config import Site
from gateway.system import SOURCE


def shadow_of(site: Site, measured: Collection[str]) -> Site:
    """Give the shadow of a site; rows of tags are those of the site itself.

    Args:
        measured: Tags that the plant gives.
    """
    fed = fed_by(site, measured)
    tags = TagTable([replace(tag, nature=Nature.EXERCISE) for tag in site.tags])
    rules = _kept([rule for rule in site.rules if not rule.is_hidden and _is_fed(rule, site, fed)])
    measured_from = {site.tags[site.tags.row_of[name]].source for name in measured}
    sources = tuple(
        replace(source, nature=Nature.EXERCISE)
        for source in site.sources
        if source.id in measured_from and source.id != SOURCE
    )
    return replace(
        site,
        sources=sources,
        tags=tags,
        rules=RuleTable(rules, tags, site.rules.authors),
        units=tuple(unit for unit in site.units if unit.id != SOURCE),
        derived=tuple(each for each in site.derived if each.tag in fed),
        own_rules=(),
        influx=None,
        node_broker=None,
    )


def fed_by(site: Site, measured: Collection[str]) -> frozenset[str]:
    """Give the tags that have values when these are measured: they, and what is computed or voted from them alone."""
    votes = {rule.tag: _asked(rule, site) - {rule.tag} for rule in site.rules if rule.kind is Kind.VOTE}
    needs = {each.tag: set(each.asked) for each in site.derived} | votes
    fed = set(measured)
    grows = True
    while grows:
        more = {tag for tag, asked in needs.items() if tag not in fed and asked <= fed}
        fed |= more
        grows = bool(more)
    return frozenset(fed)


def _kept(rules: list[Rule]) -> list[Rule]:
    """Leave out votes of which a member was left out, for the sake of its enable-condition."""
    while True:
        known = {rule.id for rule in rules}
        kept = [rule for rule in rules if known.issuperset(rule.members)]
        if len(kept) == len(rules):
            return rules
        rules = kept


def _is_fed(rule: Rule, site: Site, fed: frozenset[str]) -> bool:
    return _asked(rule, site) | set(rule.enable_asked) <= fed


def _asked(rule: Rule, site: Site) -> set[str]:
    members = (site.rules[site.rules.index_of[name]].tag for name in rule.members)
    return {rule.tag, *rule.inputs, *members}
