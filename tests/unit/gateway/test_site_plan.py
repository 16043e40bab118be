"""The site plan: sizes of pictures that another program wrote, and which corners are refused."""

from pathlib import Path

import pytest

from alerting.model.site_plan import fault_of
from edge.load import ConfigError
from gateway.disposal.photos import kind_of
from gateway.load import load
from gateway.picture_size import size_of

GOLDEN = Path(__file__).parents[2] / "golden"
#: Drawn on a canvas of 20 × 10 pixels and written by Chromium (Skia).
PICTURES = ("plan.png", "plan.jpg", "lossy.webp", "lossless.webp")
LEFT, RIGHT, BELOW = (120.0, 30.001), (120.002, 30.001), (120.0, 30.000132)


def plain_webp(content: bytes) -> bytes:
    """Leave out the extended header and the colour profile of a WebP: its picture alone."""
    at = max(content.find(b"VP8 "), content.find(b"VP8L"))
    body = b"WEBP" + content[at:]
    return b"RIFF" + len(body).to_bytes(4, "little") + body


@pytest.mark.parametrize("name", PICTURES)
def test_the_size_of_a_picture_is_that_which_it_was_drawn_in(name: str) -> None:
    content = (GOLDEN / "pictures" / name).read_bytes()
    kind = kind_of(content)
    assert kind is not None
    assert size_of(content, kind) == (20, 10)
    if kind == "image/webp":
        assert (kind_of(plain_webp(content)), size_of(plain_webp(content), kind)) == (kind, (20, 10))


@pytest.mark.parametrize("name", PICTURES)
def test_a_header_that_is_cut_short_anywhere_says_nothing_and_breaks_nothing(name: str) -> None:
    content = (GOLDEN / "pictures" / name).read_bytes()
    kind = kind_of(content)
    assert kind is not None
    assert {size_of(content[:end], kind) for end in range(len(content))} <= {None, (20, 10)}
    for webp in [plain_webp(content)] if kind == "image/webp" else []:
        assert {size_of(webp[:end], kind) for end in range(len(webp))} <= {None, (20, 10)}


@pytest.mark.parametrize(
    ("corners", "what"),
    [
        ((LEFT, RIGHT, BELOW), ""),
        (((120.001, 30.001), (120.001, 29.999268), (120.0, 30.001)), ""),  # Turned by a right angle.
        ((RIGHT, LEFT, (120.002, 30.000132)), "mirrored"),
        ((LEFT, BELOW, RIGHT), "mirrored"),
        ((LEFT, RIGHT, (120.0005, 30.000132)), "skewed"),
        ((LEFT, RIGHT, (120.0, 30.0006)), "stretched"),
        ((LEFT, (120.000001, 30.001), BELOW), "small"),
    ],
)  # fmt: skip
def test_corners_that_do_not_fit_the_picture_are_named(
    corners: tuple[tuple[float, float], tuple[float, float], tuple[float, float]], what: str
) -> None:
    assert fault_of(*corners, 20, 10)[0] == what


def test_the_plan_is_a_file_of_the_configuration_and_its_corners_are_converted(tmp_path: Path) -> None:
    case = GOLDEN / "config" / "risk_plan_mirrored"
    text = (case / "site.toml").read_text("utf-8")
    good = "GCJ-02 120.0000 30.001; 120.0020 30.001; 120.0000 30.000132"
    (tmp_path / "site.toml").write_text(text[: text.index("corners")] + f'corners = "{good}"\n', "utf-8")
    for name in ("tags.csv", "plan.png"):
        (tmp_path / name).write_bytes((case / name).read_bytes())

    site = load(tmp_path / "site.toml")

    plan = site.risk.plan
    assert plan is not None
    assert (plan.file, plan.type, plan.width, plan.height) == ("plan.png", "image/png", 20, 10)
    assert site.files[plan.file] == (tmp_path / "plan.png").read_bytes()
    assert plan.top_left == pytest.approx((119.9954, 30.0035), abs=0.001), "some 500 m off, as GCJ-02 is"
    assert plan.top_left != (120.0, 30.001)
    revision = site.revision
    (tmp_path / "plan.png").write_bytes((GOLDEN / "pictures" / "lossless.webp").read_bytes())
    other = load(tmp_path / "site.toml")
    assert other.revision != revision, "another picture is another revision"
    assert other.risk.plan is not None
    assert (other.risk.plan.type, other.risk != site.risk) == ("image/webp", True)
    (tmp_path / "plan.png").write_bytes((GOLDEN / "pictures" / "plan.png").read_bytes() + bytes(6_000_000))
    with pytest.raises(ConfigError, match="no PNG, JPEG or WebP picture"):
        load(tmp_path / "site.toml")
