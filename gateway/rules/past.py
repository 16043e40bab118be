"""Past: the rules of a past revision, compiled again as they stood.

Flow: revision number -> [what changed since, files as they were read] -> compile -> RuleTable
Why: a gap of the late lane is judged by the rules of its time, also after a restart.
Never: puts anything in force.
"""

from collections.abc import Sequence

from sqlalchemy import Connection

from alerting.model.rule import Author, RuleTable
from edge.load.mistake import ConfigError
from gateway.config import Site
from gateway.load.overlay import Overlay, Replaced
from gateway.rules import revision as kept
from gateway.rules.book import Compile
from gateway.rules.revision import Revision
from gateway.store.gaps import PastRulesError


def past_rules(connection: Connection, compile_site: Compile, now: Site, overlay: Overlay, number: int) -> RuleTable:
    """Give the rules of a revision, each with the number of its last change until then.

    Args:
        now: The site in force, whose revision is the newest of the store.
        overlay: What of it stands otherwise than on the disk.

    Raises:
        PastRulesError: An older program wrote it, or its files do not compile any more.
    """
    revisions = kept.after(connection, 0)
    past = [each for each in revisions if each.number > number]
    then = next((each for each in revisions if each.number == number), None)
    if then is None:
        raise PastRulesError(f"there is no revision {number}")
    try:
        site = compile_site(_overlay(connection, compile_site, now, overlay, past, then), [])
    except ConfigError as error:
        raise PastRulesError(f"revision {number} does not compile: {error.mistakes[0].sentence}") from error
    numbers: dict[str, int] = {}
    for each in revisions:  # The newest first.
        if each.number <= number:
            for change in each.changes:
                numbers.setdefault(change.rule, each.number)
    authors: dict[int, Author] = {}
    for each in revisions:
        authors |= kept.author_of(each.number, each.who, each.approved_by)
    return site.rules.numbered([numbers.get(rule.id, rule.revision) for rule in site.rules], authors)


def _overlay(
    connection: Connection,
    compile_site: Compile,
    now: Site,
    overlay: Overlay,
    past: Sequence[Revision],
    then: Revision,
) -> Overlay:
    """Give the overlay that makes of today's files what stood then."""
    if any(each.others for each in past):  # More than rules changed since: the files count as they were read.
        if not then.contents:
            raise PastRulesError(f"revision {then.number} was written by an older version, which kept the rules alone")
        files = kept.contents_of(connection, then.contents)
        return Overlay(then.overlay.rules, {name: Replaced(content, "") for name, content in files.items()})
    wanted = kept.before_all(kept.tables_of(now.rules), past)
    files_now = kept.tables_of(compile_site(Overlay({}, overlay.files), []).rules)
    names = sorted(name for name in {**files_now, **wanted} if files_now.get(name) != wanted.get(name))
    return Overlay({name: wanted.get(name) for name in names}, overlay.files)
