"""What the loader says of a whole site, in Chinese: its own words and those of the field side."""

from pathlib import Path
from typing import Final

from edge.load.mistake_zh import WORDS, Chinese

CHINESE: Final = Chinese([WORDS, Path(__file__).with_name("sentences_zh.txt")])
