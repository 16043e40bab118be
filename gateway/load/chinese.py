"""What the loader says of a whole site, in Chinese: its own words and those of the field side."""

from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from edge.load.mistake import Mistake
from edge.load.mistake_zh import WORDS, Chinese


@cache
def chinese() -> Chinese:
    """Give the words, read when they are first asked for: an English check needs none of them."""
    return Chinese([WORDS, Path(__file__).with_name("sentences_zh.txt")])


def both_languages(mistake: Mistake) -> dict[str, Any]:
    """Give a mistake's fields, and in ``zh`` and ``remedy_zh`` the same in Chinese; None where it is not known."""
    return {**asdict(mistake), "zh": chinese().sentence(mistake), "remedy_zh": chinese().remedy(mistake)}


def in_chinese(mistake: Mistake) -> str:
    """Write a mistake as ``fengsui check`` shows it; what is not known stays English and whole."""
    sentence = chinese().sentence(mistake) or mistake.sentence
    remedy = chinese().remedy(mistake) or mistake.remedy
    return f"{mistake.file}:{mistake.line}: {mistake.path}: {sentence}\n    处理:{remedy}"
