"""Refused: why a drill is not begun, held, let go on or ended; one sentence by language."""

from typing import Any


class DrillRefused(Exception):  # noqa: N818  # the sentence that a person needs
    """What was asked is not done.

    Attributes:
        said: One sentence by language.
        code: ``refused``; ``not_found``, ``invalid`` where a story is not there or has mistakes.
        details: Mistakes of a story's file; None for none.
    """

    def __init__(self, en: str, zh: str, *, code: str = "refused", details: Any = None) -> None:  # noqa: ANN401  # JSON
        super().__init__(en)
        self.said = {"en": en, "zh": zh}
        self.code, self.details = code, details
