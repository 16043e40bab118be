"""Read a recording ahead, in a process of its own, while the chunk before is carried.

Why: reading takes about as long as carrying, and neither lets another thread in. The pipe holds nothing, so that the
    reader is one chunk ahead and no more: memory stays flat.
"""

from collections.abc import Iterator
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

from edge.model import TagTable
from gateway.recording import RecordingError, Steps, steps

BYTES_WORTH = 50_000_000  # Below, a second process costs more than it gives.


def steps_ahead(recording: Path, tags: TagTable) -> Iterator[Steps]:
    """Read as ``gateway.recording.steps`` does, and raise what it raises."""
    if recording.stat().st_size < BYTES_WORTH:
        yield from steps(recording, tags)
        return
    context = get_context("spawn")  # A fork would copy locks that other threads hold.
    mine, theirs = context.Pipe(duplex=False)
    reader = context.Process(target=_read, args=(recording, tags, theirs), daemon=True)
    reader.start()
    theirs.close()
    try:
        while True:
            try:
                got = mine.recv()
            except EOFError:
                raise RecordingError(f"{recording}: the process that reads it ended before its end.") from None
            if got is None:
                return
            if isinstance(got, Exception):
                raise got
            yield got
    finally:
        mine.close()
        reader.terminate()
        reader.join()


def _read(recording: Path, tags: TagTable, to: Connection) -> None:
    """Send all chunks, then None; or the failure. Ends when nobody listens any more."""
    try:
        for chunk in steps(recording, tags):
            to.send(chunk)
        to.send(None)
    except BrokenPipeError:
        return
    except (RecordingError, OSError) as failure:
        to.send(failure)
