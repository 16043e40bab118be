"""A long past at once: for the demonstration's yesterday and for imports.

Why: by way of ``append`` a million samples would be written twice; straight into chunks they take a second.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias

import numpy as np

from edge.model import Quality, TagTable
from edge.model.scan import QualityColumn, TimesNs, Values
from gateway.historian.database import transaction
from gateway.historian.file import HistoryFile
from gateway.historian.series import Samples

Past: TypeAlias = tuple[str, TimesNs, Values, QualityColumn | None]
"""Tag name, times int64 (n,) ns since 1970-01-01 UTC, values float64 (n,), quality uint8 (n,) or None for GOOD."""


def backfill(path: Path, tags: TagTable, pasts: Iterable[Past]) -> int:
    """Keep these samples in a history file that no gateway has open, each tag in its own nature.

    Samples may come in any order and fall among what is kept already; of two samples of a tag with the same time the
    one given here stays. Everything or nothing is kept.

    Returns:
        The number of samples given.

    Raises:
        KeyError: A name is not in the table.
    """
    file = HistoryFile(path, tags)
    samples = 0
    try:
        file.fold_all()  # What still waits in the file is older than what comes now.
        with transaction(file.connection):
            for name, times_ns, values, quality in pasts:
                good = np.full(len(times_ns), np.uint8(Quality.GOOD), dtype=np.uint8)
                part = Samples(times_ns=times_ns, values=values, quality=good if quality is None else quality)
                file.backfill(tags.row_of[name], part)
                samples += len(part)
    finally:
        file.close()
    return samples
