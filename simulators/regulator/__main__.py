"""The regulator as a process: ``python -m simulators.regulator --port 18090 --ledger received.jsonl``.

The secret and the control token come from the environment (FENGSUI_DISTRICT_SECRET, FENGSUI_REGULATOR_TOKEN) or from
files, never from the command line, where every user of the machine could read them.
"""

import argparse
import json
import os
import signal
import sys
import threading
from pathlib import Path

from edge.clock_system import SystemClock
from simulators.regulator.ledger import Ledger
from simulators.regulator.mode import ModeError
from simulators.regulator.server import Desk, RegulatorServer
from simulators.regulator.signature import SignatureError, read_secret


def read_private(variable: str, path: Path | None) -> str:
    """Give a secret from its file, or from the environment."""
    return path.read_text(encoding="utf-8").strip() if path else os.environ.get(variable, "")


def main() -> int:
    """Read the options and serve until a signal."""
    parser = argparse.ArgumentParser(prog="python -m simulators.regulator", description="Simulated regulator.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=18090, help="0 for a free one; the first line of output tells")
    parser.add_argument("--ledger", type=Path, default=Path("var/regulator.jsonl"), help="append-only file")
    parser.add_argument("--secret-file", type=Path, help="instead of FENGSUI_DISTRICT_SECRET")
    parser.add_argument("--token-file", type=Path, help="instead of FENGSUI_REGULATOR_TOKEN")
    options = parser.parse_args()
    try:
        key = read_secret(read_private("FENGSUI_DISTRICT_SECRET", options.secret_file))
        token = read_private("FENGSUI_REGULATOR_TOKEN", options.token_file)
        desk = Desk(key, token, Ledger(options.ledger), SystemClock())
        server = RegulatorServer(options.host, options.port, desk)
    except (SignatureError, ModeError, OSError) as error:
        print(f"The regulator cannot start: {error}", file=sys.stderr)
        return 2
    for number in (signal.SIGINT, signal.SIGTERM):
        # shutdown waits for the serving loop, which is this very thread.
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    print(json.dumps({"event": "ready", "port": server.server_address[1]}), flush=True)
    with server:
        server.serve_forever(poll_interval=0.1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
