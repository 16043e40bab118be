"""What is written first against a plant: a thread a device, a blocking socket, a loop over values.

Run: python -m benchmarks.plain_plant, with one JSON line of orders on its input; prints one JSON line of books.
Why: a process of its own, so that memory and processor time are its own. It is given our plan of requests; it has no
    time-out, checks nothing but the number itself, and a device that does not answer keeps its thread for ever.
"""

import asyncio
import json
import math
import resource
import socket
import struct
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any, Final

#: One request: first register, how many, and the places of its float32 values, in registers from the first.
Read = tuple[int, int, Sequence[int]]
SETTLE_S: Final = 2.0
FILL: Final = -9999.0


async def plain_plant(ports: Sequence[int], reads: Sequence[Sequence[Read]], period_s: float, seconds: float) -> Any:  # noqa: ANN401 - what JSON holds
    """Run the plain loop in a process of its own; give its books.

    Args:
        ports: Of each device.
        reads: What each is asked for in a cycle.
    """
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.plain_plant", stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE, limit=64 * 1024 * 1024,
    )  # fmt: skip
    orders = {"ports": list(ports), "reads": reads, "period_s": period_s, "seconds": seconds}
    told, _ = await child.communicate(json.dumps(orders).encode() + b"\n")
    return json.loads(told)


def _poll(port: int, reads: Sequence[Read], period_s: float, end_s: float, books: dict[str, Any]) -> None:
    number = 0
    latest: dict[int, float] = {}
    arrivals: list[float] = []
    values = requests = bad = 0
    with socket.create_connection(("127.0.0.1", port)) as link:
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        due_s = time.perf_counter()
        while due_s < end_s:
            for first, count, places in reads:
                number = (number + 1) % 65_536
                link.sendall(struct.pack(">HHHBBHH", number, 0, 6, 1, 3, first, count))
                answer = b""
                while len(answer) < 9 + 2 * count:
                    answer += link.recv(1_024)
                for place in places:
                    (value,) = struct.unpack_from(">f", answer, 9 + 2 * place)
                    if math.isfinite(value) and value != FILL:
                        latest[first + place] = value
                    else:
                        bad += 1
                values += len(places)
                requests += 1
            arrivals.append(time.perf_counter())
            due_s += period_s
            time.sleep(max(0.0, due_s - time.perf_counter()))
    books[str(port)] = {"arrivals": arrivals, "values": values, "requests": requests, "bad": bad}


def main() -> int:
    """Read the orders, poll, tell."""
    orders = json.loads(sys.stdin.readline())
    began_s = time.perf_counter()
    end_s = began_s + SETTLE_S + orders["seconds"]
    books: dict[str, Any] = {}
    threads = [
        threading.Thread(target=_poll, args=(port, reads, orders["period_s"], end_s, books))
        for port, reads in zip(orders["ports"], orders["reads"], strict=True)
    ]
    for thread in threads:
        thread.start()
    time.sleep(SETTLE_S)
    cpu_s, from_s = time.process_time(), time.perf_counter()
    time.sleep(orders["seconds"])
    cpu_s, wall_s = time.process_time() - cpu_s, time.perf_counter() - from_s
    for thread in threads:
        thread.join()
    arrivals = [[moment for moment in one["arrivals"] if from_s <= moment < from_s + wall_s] for one in books.values()]
    sys.stdout.write(
        json.dumps(
            {
                "arrivals": arrivals,
                "values": sum(one["values"] for one in books.values()),
                "bad": sum(one["bad"] for one in books.values()),
                "cpu_s": cpu_s,
                "wall_s": wall_s,
                "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024,
            }
        )
        + "\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
