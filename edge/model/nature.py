"""Nature: is this the plant, an exercise or a test?"""

from enum import StrEnum


class Nature(StrEnum):
    """What a scan, event, alarm, entry, task or notice is about.

    It travels from the sensor to the authority and is part of every identity, so that nothing
    of an exercise or a test can change an actual alarm.
    """

    ACTUAL = "actual"
    EXERCISE = "exercise"
    TEST = "test"

    @property
    def prefix(self) -> str:
        """Mark that begins every text of this nature that leaves the house."""
        return {"actual": "", "exercise": "【演练】", "test": "【测试】"}[self.value]
