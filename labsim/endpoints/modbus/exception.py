"""Modbus exception codes, and the plant's refusals in their terms."""

from __future__ import annotations

from enum import IntEnum

from labsim.plant import status
from labsim.plant.register_spec import ExceptionsSpec


class ExceptionCode(IntEnum):
    """Exception codes (Modbus Application Protocol V1.1b3 §7)."""

    ILLEGAL_FUNCTION = 0x01
    ILLEGAL_DATA_ADDRESS = 0x02
    ILLEGAL_DATA_VALUE = 0x03
    SERVER_DEVICE_FAILURE = 0x04
    SERVER_DEVICE_BUSY = 0x06
    GATEWAY_PATH_UNAVAILABLE = 0x0A
    GATEWAY_TARGET_FAILED_TO_RESPOND = 0x0B


class ModbusError(Exception):
    """A request that gets an exception response; ``code`` is its exception code."""

    def __init__(self, code: int) -> None:
        self.code = int(code)
        super().__init__(code)


def exception_of(refusal: int, read_only: int, codes: ExceptionsSpec) -> int:
    """The exception code for a status code with which a write was refused, or that a value which is to be refused has.

    ======================================= =============================================================
    BadNotWritable, BadUserAccessDenied     ``read_only``: what the device family answers there
    BadOutOfRange, BadTypeMismatch          ``codes.value``, 03 illegal data value
    BadWaitingForInitialData                ``codes.busy``, 06 device busy: the same will do later, by itself
    BadNoCommunication, BadNotConnected     ``codes.lost``, 0B: what is behind the device does not answer
    BadInvalidState and everything else     ``codes.state``, 04 device failure: understood, and could not do it
    ======================================= =============================================================
    """
    match refusal:
        case status.BAD_NOT_WRITABLE | status.BAD_USER_ACCESS_DENIED:
            return read_only
        case status.BAD_OUT_OF_RANGE | status.BAD_TYPE_MISMATCH:
            return codes.value
        case status.BAD_WAITING_FOR_INITIAL_DATA:
            return codes.busy
        case status.BAD_NO_COMMUNICATION | status.BAD_NOT_CONNECTED:
            return codes.lost
        case _:
            return codes.state
