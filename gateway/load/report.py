"""Report: what ``[report]`` says of the font that PDFs are set in."""

from pathlib import Path
from typing import Final

from edge.load.entry import Entry
from edge.load.words import keys_of

FONTS: Final = (".ttf", ".otf", ".ttc", ".otc")


def read_report_font(root: Entry, path: Path) -> Path | None:
    """Read it; None where the system's fonts are taken.

    Args:
        path: The site file, which a relative path is relative to.
    """
    section = root.section("report")
    section.who = "Report"
    section.refuse_unknown(keys_of("report"))
    given = section.text("font")
    if not given:
        return None
    font = path.parent / given
    if font.suffix.lower() not in FONTS or "\0" in given:
        section.wrong("font", "font is no font file.", "Name a file that ends in .ttf, .otf, .ttc or .otc.")
        return None
    if not font.is_file():
        section.wrong("font", "there is no such font file.", "Check the path; it is relative to the site file.")
        return None
    return font.resolve()
