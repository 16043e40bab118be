"""Read a recording ahead, in a process of its own, while the chunk before is carried.

Why: reading takes about as long as carrying, and neither lets another thread in. The pipe holds nothing, so that the
    reader is one chunk ahead and no more: memory stays flat.
Never: runs the program again that asks. ``multiprocessing`` would: a script that carries a recording without asking
    whether it is the main one would carry it in each process that it starts.
"""

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from edge.model import TagTable
from gateway.recording import RecordingError, Steps, steps

BYTES_WORTH = 50_000_000  # Below, a second process costs more than it gives.
PROTOCOL = 5  # Columns are written as they lie in memory.


def steps_ahead(recording: Path, tags: TagTable, worth: int = BYTES_WORTH) -> Iterator[Steps]:
    """Read as ``gateway.recording.steps`` does, and raise what it raises.

    Args:
        worth: From how many bytes on the file is read in another process.
    """
    if recording.stat().st_size < worth:
        yield from steps(recording, tags)
        return
    code = f"import sys; sys.path[:] = {sys.path!r}; from gateway.backtest.ahead import main; main()"
    reader = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert reader.stdin is not None, "asked for above"
    assert reader.stdout is not None, "asked for above"
    try:
        with reader.stdin as to:
            pickle.dump((recording, tags), to, PROTOCOL)
        while True:
            try:
                got = pickle.load(reader.stdout)  # noqa: S301  # From our own child.
            except (EOFError, pickle.UnpicklingError):
                raise RecordingError(f"{recording}: the process that reads it ended before its end.") from None
            if got is None:
                return
            if isinstance(got, Exception):
                raise got
            yield got
    except BrokenPipeError:
        raise RecordingError(f"{recording}: the process that reads it ended before it began.") from None
    finally:
        reader.stdout.close()
        reader.terminate()
        reader.wait()


def main() -> None:
    """Send all chunks, then None; or the failure. Ends when nobody listens any more."""
    recording, tags = pickle.load(sys.stdin.buffer)  # noqa: S301  # From our own parent.
    with os.fdopen(os.dup(1), "wb") as to:
        os.dup2(2, 1)  # Whatever else prints must not get between the chunks.
        try:
            for chunk in steps(recording, tags):
                pickle.dump(chunk, to, PROTOCOL)
                to.flush()
            pickle.dump(None, to, PROTOCOL)
        except BrokenPipeError:
            os._exit(0)  # What is left in the buffer has nobody to go to.
        except (RecordingError, OSError) as failure:
            pickle.dump(failure, to, PROTOCOL)
