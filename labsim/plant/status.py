"""OPC UA status codes as the plant's own word for quality (OPC 10000-4 §7.38; numbers from StatusCodes.csv).

Every protocol maps these: a Modbus exception, a quality in a payload, the StatusCode itself.
"""

from __future__ import annotations

GOOD = 0x00000000
GOOD_LOCAL_OVERRIDE = 0x00960000
UNCERTAIN_LAST_USABLE_VALUE = 0x40900000
UNCERTAIN_SENSOR_NOT_ACCURATE = 0x40930000
UNCERTAIN_UNITS_EXCEEDED = 0x40940000
BAD_USER_ACCESS_DENIED = 0x801F0000
BAD_NO_COMMUNICATION = 0x80310000
BAD_WAITING_FOR_INITIAL_DATA = 0x80320000
BAD_NOT_WRITABLE = 0x803B0000
BAD_OUT_OF_RANGE = 0x803C0000
BAD_TYPE_MISMATCH = 0x80740000
BAD_CONFIGURATION_ERROR = 0x80890000
BAD_NOT_CONNECTED = 0x808A0000
BAD_DEVICE_FAILURE = 0x808B0000
BAD_SENSOR_FAILURE = 0x808C0000
BAD_OUT_OF_SERVICE = 0x808D0000
BAD_NOT_IMPLEMENTED = 0x80400000
BAD_ARGUMENTS_MISSING = 0x80760000
BAD_EVENT_ID_UNKNOWN = 0x809A0000
BAD_ALREADY_ACKNOWLEDGED = 0x80CF0000
BAD_INVALID_ARGUMENT = 0x80AB0000
BAD_INVALID_STATE = 0x80AF0000

_NAMES = {
    GOOD: "Good", GOOD_LOCAL_OVERRIDE: "GoodLocalOverride", UNCERTAIN_LAST_USABLE_VALUE: "UncertainLastUsableValue",
    UNCERTAIN_SENSOR_NOT_ACCURATE: "UncertainSensorNotAccurate",
    UNCERTAIN_UNITS_EXCEEDED: "UncertainEngineeringUnitsExceeded", BAD_USER_ACCESS_DENIED: "BadUserAccessDenied",
    BAD_NO_COMMUNICATION: "BadNoCommunication", BAD_WAITING_FOR_INITIAL_DATA: "BadWaitingForInitialData",
    BAD_NOT_WRITABLE: "BadNotWritable", BAD_OUT_OF_RANGE: "BadOutOfRange", BAD_TYPE_MISMATCH: "BadTypeMismatch",
    BAD_CONFIGURATION_ERROR: "BadConfigurationError", BAD_NOT_CONNECTED: "BadNotConnected",
    BAD_DEVICE_FAILURE: "BadDeviceFailure", BAD_SENSOR_FAILURE: "BadSensorFailure",
    BAD_OUT_OF_SERVICE: "BadOutOfService", BAD_INVALID_STATE: "BadInvalidState",
    BAD_EVENT_ID_UNKNOWN: "BadEventIdUnknown", BAD_ALREADY_ACKNOWLEDGED: "BadConditionBranchAlreadyAcked",
    BAD_ARGUMENTS_MISSING: "BadArgumentsMissing", BAD_NOT_IMPLEMENTED: "BadNotImplemented",
    BAD_INVALID_ARGUMENT: "BadInvalidArgument",
}  # fmt: skip


def is_good(code: int) -> bool:
    """Whether the severity bits say Good."""
    return code >> 30 == 0


def name(code: int) -> str:
    """The name of a code the plant uses, or its number in hexadecimal."""
    return _NAMES.get(code & 0xFFFF0000, f"0x{code:08X}")
