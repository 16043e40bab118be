"""Modem: what a ``[[channel]]`` of kind ``modem`` says of the port, the card and the network."""

import re
from typing import Final

from edge.load.entry import Entry
from edge.load.mistake import show
from edge.load.modbus import BAUD, is_path
from gateway.config import ModemOptions

BAUD_USUAL: Final = 115_200
#: TS 31.101, 9.5.1: four to eight digits.
_PIN: Final = re.compile(r"[0-9]{4,8}")
_CENTRE: Final = re.compile(r"\+[0-9]{5,20}")


def read_modem(entry: Entry) -> ModemOptions:
    """Read one."""
    path = entry.required("serial", "it is the path of the modem's serial port, e.g. /dev/ttyUSB0", is_path)
    baudrate = entry.whole("baudrate", BAUD_USUAL, BAUD[0], BAUD[-1])
    if baudrate not in BAUD:
        entry.wrong(
            "baudrate", f"baudrate is {baudrate}; no line has it.", f"Write one of {', '.join(map(str, BAUD))}."
        )
    pin = entry.secret("pin")
    if pin and not _PIN.fullmatch(pin):
        key = "pin_env" if entry.has("pin_env") else "pin_file"
        entry.wrong(key, "a PIN has four to eight digits.", "Take the one of the card in the modem.")
    centre = entry.text("centre")
    if centre and not _CENTRE.fullmatch(centre):
        entry.wrong("centre", f"centre is {show(centre)}; it is an international number.", 'Write "+8613800100500".')
    return ModemOptions(
        serial=path, baudrate=baudrate, pin=pin, centre=centre, is_reported=entry.flag("report", default=True)
    )  # fmt: skip
