"""A Modbus server made of libmodbus (C), through ctypes: ``python tests/libmodbus_server.py tcp 127.0.0.1 0 UNIT``.

Also ``… rtu /dev/pts/7 19200 UNIT``. It prints one line when it listens, for TCP with the port. Holding registers:
0-1 … 6-7 the float 123456.0 in ABCD, CDAB, BADC, DCBA (words of unit-test.h of libmodbus 3.1.7; before, its functions
had the opposite names); 8 = 555; input registers: 0 = 10; coils and discrete inputs: the published examples of the
application protocol, 6.1 and 6.2.
"""

import ctypes
import ctypes.util
import sys

MAPPING = 64
QUERY_BYTES = 260
FLOATS = [0x47F1, 0x2000, 0x2000, 0x47F1, 0xF147, 0x0020, 0x0020, 0xF147]
COILS = [int(bit) for bit in f"{0x05_6B_CD:024b}"[::-1]]
DISCRETES = [int(bit) for bit in f"{0x35_DB_AC:024b}"[::-1]]


class Mapping(ctypes.Structure):
    """``modbus_mapping_t`` of libmodbus 3.1."""

    _fields_ = (
        *((name, ctypes.c_int) for name in (
            "nb_bits", "start_bits", "nb_input_bits", "start_input_bits",
            "nb_input_registers", "start_input_registers", "nb_registers", "start_registers",
        )),
        ("tab_bits", ctypes.POINTER(ctypes.c_uint8)),
        ("tab_input_bits", ctypes.POINTER(ctypes.c_uint8)),
        ("tab_input_registers", ctypes.POINTER(ctypes.c_uint16)),
        ("tab_registers", ctypes.POINTER(ctypes.c_uint16)),
    )  # fmt: skip


def load() -> ctypes.CDLL:
    name = ctypes.util.find_library("modbus")
    if name is None:
        sys.exit("libmodbus is not installed")
    library = ctypes.CDLL(name)
    library.modbus_new_tcp.restype = library.modbus_new_rtu.restype = ctypes.c_void_p
    library.modbus_mapping_new.restype = ctypes.POINTER(Mapping)
    return library


def main() -> None:
    kind, place, number, unit = sys.argv[1], sys.argv[2].encode(), int(sys.argv[3]), int(sys.argv[4])
    library = load()
    mapping = library.modbus_mapping_new(MAPPING, MAPPING, MAPPING, MAPPING)
    table = mapping.contents
    for at, word in enumerate([*FLOATS, 555]):
        table.tab_registers[at] = word
    table.tab_input_registers[0] = 10
    for at, bit in enumerate(COILS):
        table.tab_bits[at] = bit
    for at, bit in enumerate(DISCRETES):
        table.tab_input_bits[at] = bit
    if kind == "tcp":
        context = ctypes.c_void_p(library.modbus_new_tcp(place, number))
        listener = library.modbus_tcp_listen(context, 1)
    else:
        context = ctypes.c_void_p(library.modbus_new_rtu(place, number, ctypes.c_char(b"N"), 8, 1))
        library.modbus_set_slave(context, unit)
        if library.modbus_connect(context) != 0:
            sys.exit(f"libmodbus cannot open {place!r}")
        listener = 0
    print("listening", flush=True)
    query = (ctypes.c_uint8 * QUERY_BYTES)()
    while True:
        if kind == "tcp":
            library.modbus_tcp_accept(context, ctypes.byref(ctypes.c_int(listener)))
        while True:
            size = library.modbus_receive(context, query)
            if size > 0:
                library.modbus_reply(context, query, size, mapping)
            elif size < 0 and kind == "tcp":
                break


if __name__ == "__main__":
    main()
