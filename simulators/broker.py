"""A broker for machines without one: ``python -m simulators.broker --port 18830``.

Why: the demonstration needs MQTT, and not every machine has mosquitto. It listens on loopback only.
Never: for production. It is young, keeps 100 messages in flight and forgets sessions when it ends.
"""

import argparse
import logging
import signal
import sys

from iotcore import IotCoreBroker

PAYLOAD_BYTES_MAX = 262_144


def main() -> int:
    """Serve MQTT 3.1.1 until a signal."""
    parser = argparse.ArgumentParser(prog="python -m simulators.broker", description="MQTT broker, demonstration only.")
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    broker = IotCoreBroker(
        listen="127.0.0.1", port=options.port, max_payload_size=PAYLOAD_BYTES_MAX, max_inflight_count=1000
    )
    try:
        broker.check_ports()
    except OSError as error:
        print(f"The broker cannot start: {error}", file=sys.stderr)
        return 2
    logging.basicConfig(level=logging.WARNING)
    logging.getLogger("rumqttd").setLevel(logging.CRITICAL)  # It calls every packet an error.
    # The native loop never comes back to Python, so a signal must end the process itself.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    print("For demonstration only: an embedded MQTT broker on loopback.", flush=True)
    broker.run_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
