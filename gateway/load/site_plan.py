"""Site plan: the picture under the risk map, ``[risk.plan]``: a file of the site's folder and three of its corners.

Why: the picture is a file of the configuration like a table of tags: it is kept with each revision, goes back with an
    undo, and a gateway never shows a plan with the corners of another one.
"""

from posixpath import normpath
from typing import Final

from alerting.model.site_plan import SitePlan, fault_of
from alerting.register.coordinates import NoOutline, read_outline
from edge.load.entry import Entry
from edge.load.mistake import show
from edge.load.words import keys_of
from gateway.disposal.photos import digest_of, kind_of
from gateway.picture_size import size_of

PLAN_BYTES_MAX: Final = 5 * 1024 * 1024
#: Pixels of a side: what a browser of a phone still draws.
SIDE_MAX: Final = 8_192
EXAMPLE: Final = "113.2700 23.1300; 113.2720 23.1300; 113.2700 23.1290"
CORNERS: Final = 3
_SAID: Final = {
    "small": ("the picture would be {} wide or high.", "Check the digits of the corners."),
    "mirrored": (
        "the corners lie the other way round: the picture would be seen from below.",
        "Give them in the order top left, top right, bottom left.",
    ),
    "skewed": (
        "the sides of the picture meet at {} and not at a right angle.",
        "Give them in the order top left, top right, bottom left, and check their digits.",
    ),
    "stretched": (
        "the corners do not fit the picture: {}.",
        "Check the corners; they are those of the picture's edge, not of what is drawn in it.",
    ),
}


def read_plan(risk: Entry) -> SitePlan | None:
    """Read the plan of ``[risk]``; None where there is none, or it is wrong."""
    if not risk.has("plan"):
        return None
    section = risk.section("plan")
    section.who = "Site plan"
    section.refuse_unknown(keys_of("risk.plan"))
    file = section.required("file", "it is a PNG, JPEG or WebP picture in the site's folder")
    corners = _corners(section)
    content = section.reading.raw(file, section.place("file")) if file else None
    if content is None:
        return None
    kind = kind_of(content)
    size = None if kind is None else size_of(content, kind)
    if kind is None or size is None:
        section.wrong("file", f"{show(file)} is no PNG, JPEG or WebP picture, or it is cut short.", "Save it as PNG.")
        return None
    if len(content) > PLAN_BYTES_MAX:
        section.wrong("file", f"{show(file)} is larger than {PLAN_BYTES_MAX} bytes.", "Save it smaller.")
        return None
    if max(size) > SIDE_MAX:
        en = f"{show(file)} is {size[0]} × {size[1]} pixels; at most {SIDE_MAX} each way."
        section.wrong("file", en, "Save it smaller.")
        return None
    if len(corners) != CORNERS:
        return None
    what, shown = fault_of(corners[0], corners[1], corners[2], *size)
    if what:
        said, remedy = _SAID[what]
        section.wrong("corners", said.format(shown), remedy)
        return None
    return SitePlan(
        file=normpath(file), digest=digest_of(content), type=kind, width=size[0], height=size[1], top_left=corners[0],
        top_right=corners[1], bottom_left=corners[2],
    )  # fmt: skip


def _corners(section: Entry) -> list[tuple[float, float]]:
    rule = "it is three corners of the picture: top left, top right, bottom left"
    given = section.required("corners", rule)
    if not given:
        return []
    try:
        found = read_outline(given)
    except NoOutline:
        found = []
    if len(found) != CORNERS:
        en = (
            f"corners is {show(given)}; it is three corners of the picture, each as longitude and latitude: top left, "
            "top right, bottom left."
        )
        section.wrong("corners", en, f'Write e.g. corners = "{EXAMPLE}"; GCJ-02 or BD-09 before them is converted.')
        return []
    return found
