"""Tennessee Eastman process (Downs, Vogel 1993; files of Chiang, Russell, Braatz 2001): 52 variables, 3 min.

``d00.dat`` is normal operation and is stored transposed, 52 x 500; ``dNN_te.dat`` are 960 rows each, the fault from row
161 on; ``d00_te.dat`` is normal operation that thresholds are set on.
"""

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gateway.bench.quality.case import Case, Part
from gateway.recording import RecordingError

VARIABLES = 52
PERIOD_NS = 180_000_000_000
START_NS = 946_684_800_000_000_000  # The files have no times; 2000-01-01 stands for the first row.
#: 41 measurements and 11 manipulated variables, as the readme of the files orders them.
TAGS = tuple(f"XMEAS-{n}" for n in range(1, 42)) + tuple(f"XMV-{n}" for n in range(1, 12))
TESTS = re.compile(r"d\d\d_te\.dat")


def cases(folder: Path) -> list[Case]:
    """Read the test recordings, all with ``d00.dat`` to learn from.

    Raises:
        RecordingError: A file is not of this form.
    """
    learn = _part(folder / "d00.dat")
    return [
        Case(name=path.name, tags=TAGS, learn=learn, judge=_part(path))
        for path in sorted(folder.glob("d*_te.dat"))
        if TESTS.fullmatch(path.name)
    ]


def _part(path: Path) -> Part:
    try:
        values: NDArray[np.float64] = np.loadtxt(path, ndmin=2)
    except ValueError as failure:
        raise RecordingError(f"{path}: {failure}") from None
    if values.shape[1] != VARIABLES and values.shape[0] == VARIABLES:
        values = np.ascontiguousarray(values.T)
    if values.shape[1] != VARIABLES:
        raise RecordingError(
            f"{path}: it is {values.shape[0]} x {values.shape[1]}; {VARIABLES} variables are expected."
        )
    return Part(time_ns=START_NS + PERIOD_NS * np.arange(len(values), dtype=np.int64), values=values)
