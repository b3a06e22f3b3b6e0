"""Read Device Identification: function 43 / MEI type 14 (Modbus Application Protocol V1.1b3 §6.21)."""

from __future__ import annotations

from collections.abc import Mapping

from labsim.endpoints.modbus.exception import ExceptionCode, ModbusError
from labsim.plant.interface import Interface

FUNCTION = 0x2B
_MEI = 0x0E
_LAST = {1: 0x02, 2: 0x06, 3: 0xFF}  # the last object of the basic, regular and extended category
_ROOM = 253 - 7  # of a PDU, after function, MEI type, code, conformity, more follows, next object, number of objects


def identification(interface: Interface, serial: str) -> dict[int, bytes]:
    """Objects by id: the type's own (``{serial}`` filled in) over those that follow from its nameplate."""
    plate = interface.identification
    texts = {0: plate.manufacturer, 1: plate.model, 2: plate.revision, 4: interface.title.say(), 5: plate.model}
    if interface.modbus is not None:
        texts |= interface.modbus.identification
    room = _ROOM - 2
    return {
        number: text.replace("{serial}", serial).encode("utf-8")[:room]
        for number, text in sorted(texts.items())
        if text
    }


def read_identification(objects: Mapping[int, bytes], pdu: bytes) -> bytes:
    """The response PDU to a request of function 43.

    A stream (code 1 to 3) that does not fit goes on at "next object id"; an unknown first object starts at the beginning; a
    category above what the device has gets what it has. Code 4 asks for one object.

    Raises:
        ModbusError: 01 another MEI type, 03 wrong length or code, 02 no such object (code 4).
    """
    if len(pdu) > 1 and pdu[1] != _MEI:
        raise ModbusError(ExceptionCode.ILLEGAL_FUNCTION)
    if len(pdu) != 4 or not 1 <= pdu[2] <= 4:
        raise ModbusError(ExceptionCode.ILLEGAL_DATA_VALUE)
    code, first = pdu[2], pdu[3]
    if code == 4:
        if first not in objects:
            raise ModbusError(ExceptionCode.ILLEGAL_DATA_ADDRESS)
        wanted = [first]
    else:
        wanted = [number for number in sorted(objects) if number <= _LAST[code]]
        wanted = wanted[wanted.index(first) :] if first in wanted else wanted
    conformity = 0x80 | next(level for level, last in _LAST.items() if max(objects, default=0) <= last)
    body, given = b"", 0
    for number in wanted:
        entry = bytes((number, len(objects[number]))) + objects[number]
        if len(body) + len(entry) > _ROOM:
            break
        body, given = body + entry, given + 1
    more = given < len(wanted)
    head = (FUNCTION, _MEI, code, conformity, 0xFF if more else 0, wanted[given] if more else 0, given)
    return bytes(head) + body
