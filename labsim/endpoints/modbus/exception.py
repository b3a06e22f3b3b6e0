"""Modbus exception codes, and the plant's refusals in their terms."""

from __future__ import annotations

from enum import IntEnum

from labsim.plant import status


class ExceptionCode(IntEnum):
    """Exception codes (Modbus Application Protocol V1.1b3 §7)."""

    ILLEGAL_FUNCTION = 0x01
    ILLEGAL_DATA_ADDRESS = 0x02
    ILLEGAL_DATA_VALUE = 0x03
    SERVER_DEVICE_FAILURE = 0x04
    SERVER_DEVICE_BUSY = 0x06
    GATEWAY_TARGET_FAILED_TO_RESPOND = 0x0B


class ModbusError(Exception):
    """A request that gets an exception response; ``code`` is its exception code."""

    def __init__(self, code: int) -> None:
        self.code = int(code)
        super().__init__(code)


def exception_of(refusal: int, read_only: int) -> int:
    """The exception code for a status code with which the tag store refused a write.

    ======================================= =============================================================
    BadNotWritable, BadUserAccessDenied     ``read_only``: what the device family answers there
    BadOutOfRange, BadTypeMismatch          03 illegal data value
    BadWaitingForInitialData                06 device busy: the same write will do later, by itself
    BadInvalidState and everything else     04 device failure: it understood and could not do it
    ======================================= =============================================================
    """
    match refusal:
        case status.BAD_NOT_WRITABLE | status.BAD_USER_ACCESS_DENIED:
            return read_only
        case status.BAD_OUT_OF_RANGE | status.BAD_TYPE_MISMATCH:
            return ExceptionCode.ILLEGAL_DATA_VALUE
        case status.BAD_WAITING_FOR_INITIAL_DATA:
            return ExceptionCode.SERVER_DEVICE_BUSY
        case _:
            return ExceptionCode.SERVER_DEVICE_FAILURE
