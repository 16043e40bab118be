"""The plant's devices on real protocols: Modbus TCP servers and an MQTT publisher.

Flow: plant -> readings -> [registers, topics] -> collect
Why: what speaks here is the protocol itself, so that the collectors meet sockets, bytes and delays, not a fake.
Never: knows the gateway; it reads the site's tag tables with its own few lines (`simulators.wiring`).
"""
