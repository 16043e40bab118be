"""Load the field side of a site file: its sources and tags, or all mistakes in them at once.

Flow: site file, tag tables, templates -> [load] -> sources and tags
Why: an edge node reads the same site file as the gateway and judges its own part of it; what it does not need
     (units, rules, push) is known here by name only.
Never: starts with a mistake, repairs one silently, prints a secret.

``gateway.load`` reads the rest of the file on top of ``read_field``.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edge.config import Source
from edge.load.entry import Entry
from edge.load.locate import Path as KeyPath
from edge.load.locate import line_of
from edge.load.mistake import ConfigError, Mistake, Place
from edge.load.reading import Reading
from edge.load.source import SourceDraft, read_sources
from edge.load.tag import TagDraft, read_tags, rows_of_sheet
from edge.load.template import Template
from edge.load.words import ID_RULE, is_id, keys_of
from edge.model import TagTable

__all__ = ["ConfigError", "Field", "Mistake", "load"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """What an edge node needs of a site.

    Attributes:
        site: Id of the site.
        revision: Digest of all configuration files read.
    """

    site: str
    sources: tuple[Source, ...]
    tags: TagTable
    revision: str


@dataclass(slots=True)
class FieldDraft:
    """The field side with the place of everything, before it is known to be right.

    Attributes:
        refused: Tags whose names stand already; the rest of their rows is judged all the same.
        refused_sources: Sources whose ids cannot be used, likewise.
    """

    reading: Reading
    root: Entry
    site: Entry
    site_id: str
    sources: list[SourceDraft]
    tags: list[TagDraft]
    refused: list[TagDraft]
    refused_sources: list[SourceDraft]
    templates: list[Template]


def load(path: Path, *, environ: Mapping[str, str] | None = None) -> Field:
    """Read the sources and tags of a site file.

    Args:
        path: The site file.
        environ: Where secrets are taken from; the process's environment if not given.

    Raises:
        ConfigError: The site has mistakes; it lists all of them.
    """
    draft = read_field(path, environ)
    draft.reading.mistakes.refuse()
    return Field(
        site=draft.site_id,
        sources=tuple(source.source for source in draft.sources),
        tags=TagTable([tag.tag for tag in draft.tags]),
        revision=draft.reading.revision,
    )


def read_field(
    path: Path, environ: Mapping[str, str] | None = None, files: Mapping[str, bytes] | None = None
) -> FieldDraft:
    """Read the field side and note its mistakes in ``reading.mistakes``.

    Args:
        files: Contents to take instead of those on disk, by path relative to the site file.

    Raises:
        ConfigError: The site file cannot be read or is not TOML.
    """
    reading = Reading(Path(path), os.environ if environ is None else environ, files)
    values, lines = reading.document()
    root = Entry(reading, "Site file", values, lambda at: Place(str(path), line_of(lines, at), _path_text(at)))
    root.refuse_unknown(keys_of(""))
    site = root.section("site")
    site.who = "Site"
    site.refuse_unknown(keys_of("site"))
    site_id = site.required("id", ID_RULE, is_id)
    templates = [Template(entry) for entry in root.sections("template", "Template")]
    _check_twice(templates)
    entries = root.sections("source", "Source")
    entries += [entry for template in templates for entry in template.sections("source", "Source")]
    if not entries:
        root.wrong("source", "the site has no source.", "Add a [[source]]: one Modbus device or one group of topics.")
    sources = read_sources(entries, site_id)
    told = len(reading.mistakes) if all(template.is_complete for template in templates) else -1
    rows = _rows(reading, site)
    rows += [row for template in templates for row in template.rows()]
    if not site.has("tags") and not templates:
        site.wrong("tags", "the site has no tags.", 'Add tags = ["tags.csv"] with the path of a tag table.')
    tags, refused = read_tags(rows, sources, is_complete=told == len(reading.mistakes))
    usable = [source for source in sources if not source.is_refused]
    unusable = [source for source in sources if source.is_refused]
    return FieldDraft(reading, root, site, site_id, usable, tags, refused, unusable, templates)


def _rows(reading: Reading, site: Entry) -> list[Entry]:
    """Give the rows of all tag tables."""
    names = site.texts("tags")
    if site.has("tags") and not names and site.values["tags"] == []:
        site.wrong("tags", "tags is an empty list.", 'Write tags = ["tags.csv"] with the path of a tag table.')
    rows: list[Entry] = []
    for at, name in enumerate(names):
        if name in names[:at]:
            site.wrong(("tags", at), f"table {name} is named twice.", "Name it once.")
        else:
            rows += rows_of_sheet(reading, name, site.place("tags", at))
    return rows


def _check_twice(templates: list[Template]) -> None:
    seen: set[str] = set()
    for template in templates:
        if template.id in seen:
            template.entry.wrong("id", "id stands twice.", "Give each template its own id.")
        seen.add(template.id or "\0")


def _path_text(path: KeyPath) -> str:
    """Write a key path as people read it: ``source[2].port``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".") or "file"
