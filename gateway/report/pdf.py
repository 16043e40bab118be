"""PDF of a report, set by typst with a font that has Chinese.

Flow: report -> [face_of: which font] -> [pdf_of] -> bytes of a PDF
Why: a PDF without its Chinese looks right to who made it and is empty to who reads it; it is refused.
Never: writes what a record says into the program of the document; it goes in as data.
Sources: typst 0.15, ``sys.inputs`` and ``json``; families: Noto CJK, Source Han, WenQuanYi and those that systems ship.
"""

import importlib.util
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal

import typst

from alerting.register.field import Words
from gateway.report.blocks import Report

#: Families that have simplified Chinese, the best first.
FAMILIES: Final = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN", "Noto Serif CJK SC",
    "Noto Serif SC", "Source Han Serif SC", "Source Han Serif CN", "WenQuanYi Zen Hei", "WenQuanYi Micro Hei",
    "Microsoft YaHei", "SimHei", "SimSun", "FangSong", "KaiTi", "PingFang SC", "Droid Sans Fallback",
)  # fmt: skip
#: Packages that bring such a font; ``fengsui[fonts]`` installs one.
WHEELS: Final = ("pylopdf_fonts_zh_cn",)
NO_FONT: Final = Words(
    "There is no font with Chinese here, so the PDF would be empty. Install one (fonts-noto-cjk), install "
    "fengsui[fonts], or name a font file in [report] font. HTML and XLSX need none.",
    "本机没有中文字体，PDF 将缺字。请安装字体（如 fonts-noto-cjk）或 fengsui[fonts]，"
    "或在 [report] font 中指定字体文件。HTML 与 XLSX 不受影响。",
)

_DOCUMENT: Final = b"""
#let told = json(bytes(sys.inputs.report))
#set document(title: told.title)
#set page(paper: "a4", margin: 2cm, numbering: "1 / 1")
#set text(font: sys.inputs.font, size: 10pt, lang: told.language)
#align(center, text(size: 16pt, weight: "bold", told.title))
#for line in told.lines { par(text(line)) }
#for block in told.blocks {
  heading(level: 2, text(block.heading))
  if block.note != "" { text(size: 8pt, fill: luma(90), block.note) }
  table(
    columns: block.header.len(),
    inset: 4pt,
    stroke: 0.4pt + luma(120),
    table.header(..block.header.map(one => text(weight: "bold", one))),
    ..block.rows.flatten().map(one => if type(one) == str { text(one) } else { align(right, str(one)) }),
  )
}
"""


#: One sign on a page of its own.
_PROBE: Final = b"#set page(width: 2cm, height: 2cm)\n#text(font: sys.inputs.font, sys.inputs.sign)"


class NoFont(Exception):  # noqa: N818 - a refusal, not a failure
    """No font has Chinese.

    Attributes:
        said: One sentence by language.
    """

    said = NO_FONT


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """A font: its family and the folders that typst looks into, beside the system's where ``is_system``."""

    family: str
    folders: tuple[Path, ...] = ()
    is_system: bool = False


def face_of(font: Path | None, *, is_system_asked: bool = True, wheels: Sequence[str] = WHEELS) -> Face:
    """Choose the font: the site's own, else the system's, else that of a package.

    Raises:
        NoFont: None of them has Chinese.
    """
    asked: list[Face] = []
    if font is not None:
        asked += [Face(family=name, folders=(font.parent,)) for name in _families((font.parent,), file=font)[:1]]
    if is_system_asked:
        system = _families((), is_system=True)
        asked += [Face(family=name, is_system=True) for name in FAMILIES if name in system][:1]
    for wheel in wheels:
        spec = importlib.util.find_spec(wheel)
        if spec is not None and spec.origin:
            folder = Path(spec.origin).parent
            here = _families((folder,))
            asked += [Face(family=name, folders=(folder,)) for name in FAMILIES if name in here][:1]
    for face in asked:
        if has_chinese(face):
            return face
    raise NoFont


def has_chinese(face: Face) -> bool:
    """Tell whether a font draws two signs of Chinese as two: what it lacks it draws as the one box for all."""
    drawn = [_compiled(_PROBE, face, "svg", {"sign": sign, "font": face.family}) for sign in ("隐", "患", "\ue123")]
    return len(set(drawn)) == len(drawn)


def pdf_of(report: Report, face: Face, made_ns: int) -> bytes:
    """Set a report; the same report and time give the same bytes. Blocking: call it in a thread.

    Args:
        made_ns: Time written into the file, ns since 1970.
    """
    told = {"report": json.dumps(asdict(report), ensure_ascii=False), "font": face.family}
    return _compiled(_DOCUMENT, face, "pdf", told, made_ns // 1_000_000_000)


def _compiled(
    document: bytes, face: Face, form: Literal["pdf", "svg"], told: dict[str, str], made_s: int | None = None
) -> bytes:
    fonts = typst.Fonts(
        include_system_fonts=face.is_system, include_embedded_fonts=False, font_paths=[str(one) for one in face.folders]
    )
    content = typst.compile(document, font_paths=fonts, format=form, timestamp=made_s, sys_inputs=told)
    assert isinstance(content, bytes)
    return content


def _families(folders: Sequence[Path], *, is_system: bool = False, file: Path | None = None) -> list[str]:
    found = typst.Fonts(
        include_system_fonts=is_system, include_embedded_fonts=False, font_paths=[str(one) for one in folders]
    )
    if file is None:
        return list(found.families())
    return [one.family for one in found.fonts() if one.path is not None and Path(one.path) == file]
