"""A mistake of the configuration as the page shows it, in both languages."""

from dataclasses import asdict
from typing import Any

from edge.load.mistake import Mistake
from gateway.load.chinese import CHINESE


def mistake_shown(mistake: Mistake) -> dict[str, Any]:
    """Give a mistake; ``zh`` and ``remedy_zh`` are None where no Chinese is known."""
    return {**asdict(mistake), "zh": CHINESE.sentence(mistake), "remedy_zh": CHINESE.said(mistake.remedy)}
