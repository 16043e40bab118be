"""What the site says of its learned artefact, and whether the artefact still belongs to this site.

Why: a threshold or a model learnt with other tags or another rule means nothing here; it is refused before the start.
"""

from collections.abc import Sequence
from typing import Final

from alerting.model.learned import Learned, digest_of_tags
from edge.load.entry import Entry
from edge.load.words import keys_of
from edge.model import Tag
from gateway.learn.artefact import AGAIN, ArtefactError, read

OTHER: Final = "Run fengsui learn again, or name the artefact that was made with this configuration."


def read_learned(root: Entry, site: str, tags: Sequence[Tag]) -> tuple[Learned | None, Entry]:
    """Read the artefact that ``[learn]`` names; None where it names none or it cannot be used, which is a mistake.

    Returns:
        The artefact, and the entry of ``[learn]`` for what is found wrong with it later.
    """
    entry = root.section("learn")
    entry.who = "Learn"
    entry.refuse_unknown(keys_of("learn"))
    if not root.has("learn"):
        return None, entry
    name = entry.required("artefact", "it is the file that fengsui learn wrote")
    text = entry.reading.text(name, entry.place("artefact")) if name else None
    if text is None:
        return None, entry
    try:
        learned = read(text)
    except ArtefactError as failure:
        entry.wrong("artefact", f"artefact {name}: {failure}", AGAIN)
        return None, entry
    if learned.site != site:
        entry.wrong("artefact", f"artefact {name} was learnt for site {learned.site}, this is {site}.", OTHER)
        return None, entry
    if learned.tags != digest_of_tags(tags):
        entry.wrong(
            "artefact",
            f"artefact {name} was learnt with another tag list: names, kinds, units, periods or resolutions have "
            "changed since.",
            OTHER,
        )
        return None, entry
    return learned, entry
