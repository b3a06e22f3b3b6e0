"""What an interface says about Modbus: the register map, and how the device family answers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from labsim.plant.spec import Name, Number, Spec
from labsim.plant.tags import INTEGER_RANGE, Access
from labsim.text import Text

WordOrder = Literal["ABCD", "CDAB", "BADC", "DCBA"]
RegisterType = Literal["bool", "i16", "u16", "i32", "u32", "i64", "u64", "f32", "f64", "text"]
Table = Literal["holding", "input", "coil", "discrete"]
WORDS: dict[str, int] = {"bool": 1, "i16": 1, "u16": 1, "i32": 2, "u32": 2, "f32": 2, "i64": 4, "u64": 4, "f64": 4}
DataFunction = Literal[1, 2, 3, 4, 5, 6, 15, 16, 20, 21, 22, 23]
"""A Modbus function code that reads or writes registers or bits."""
ExceptionNumber = Literal[1, 2, 3, 4, 6, 10, 11]
"""A Modbus exception code that a device family may answer with."""


class RegisterSpec(Spec):
    """One entry of the register map, numbered as the vendor's manual prints it.

    The wire address is ``doc - numbering + base_register`` (setting). The raw number is the tag's value times ``scale`` plus
    ``offset``; an integer that does not fit is saturated or wrapped (``overflow``). ``words`` is the length of a text in
    registers.

    Attributes:
        invalid: What stands for a value of bad quality: the ``last`` one, NaN or the type's ``sentinel``, a raw number of the
            family's own, or ``refuse``: the read gets an exception.
        atomic: A read of a part of the value is refused.
        group: Registers of one group are read and written together or not at all (a date and its time).
        functions: The function codes that reach it, if not all of its table's.
        effect: What a write does. ``level``: the value stands. ``edge``: only a change does anything, so a command must go
            back before it can come again. ``command``: the register takes the value and reads 0. ``eeprom``: it stands, and
            every write wears the memory, counted in the tag ``wear_tag``; from ``wear_limit`` on a write fails.
    """

    doc: Annotated[int, Field(ge=0, le=470000)]
    tag: Name | None = None
    constant: int | float | str | None = None
    type: RegisterType
    table: Table = "holding"
    words: Annotated[int, Field(ge=1, le=64)] | None = None
    scale: Number = 1.0
    offset: Number = 0.0
    overflow: Literal["saturate", "wrap"] = "saturate"
    word_order: WordOrder | None = None
    access: Access = "r"
    functions: tuple[DataFunction, ...] | None = None
    invalid: Literal["nan", "last", "sentinel", "refuse"] | int = "last"
    atomic: bool = False
    group: Name | None = None
    effect: Literal["level", "edge", "command", "eeprom"] = "level"
    wear_tag: Name | None = None
    wear_limit: Annotated[int, Field(ge=1)] = 100_000
    title: Text | None = None

    @property
    def size(self) -> int:
        """Length in registers (bits for coils and discrete inputs)."""
        return self.words or WORDS[self.type]

    @model_validator(mode="after")
    def _whole(self) -> RegisterSpec:
        if (self.tag is None) == (self.constant is None):
            raise ValueError("a register shows a tag or a constant: give one of the two")
        if (self.type == "text") != (self.words is not None):
            raise ValueError("a text register needs 'words', its length in registers; a number has its type's length")
        serial = (self.constant, self.type) == ("{serial}", "u32")
        if self.constant is not None and not serial and isinstance(self.constant, str) != (self.type == "text"):
            raise ValueError(f"the constant {self.constant!r} is not a {self.type}")
        if self.access == "rw" and (self.tag is None or self.table in ("input", "discrete")):
            raise ValueError("only a tag in a holding register or a coil can be written")
        if self.scale == 0:
            raise ValueError("a scale of 0 loses the value")
        if (self.table in ("coil", "discrete")) != (self.type == "bool"):
            raise ValueError("coils and discrete inputs hold bool, registers hold numbers or text")
        if self.effect != "level" and self.access != "rw":
            raise ValueError(f"the effect {self.effect!r} is of a write: give 'access: rw'")
        if (self.effect == "eeprom") != (self.wear_tag is not None):
            raise ValueError(
                "an eeprom register needs 'wear_tag', the tag that counts its writes, and nothing else has it"
            )
        if isinstance(self.invalid, int) and self.type in INTEGER_RANGE:
            low, high = INTEGER_RANGE[self.type]
            if not low <= self.invalid <= high:
                raise ValueError(f"the invalid mark {self.invalid} does not fit a {self.type}")
        elif isinstance(self.invalid, int):
            raise ValueError("only an integer register has a raw number for invalid")
        return self


class QueueSpec(Spec):
    """A FIFO queue of function 24: the changes of a number ``tag``, oldest first, at most ``length`` of them."""

    tag: Name
    type: Literal["i16", "u16"] = "u16"
    scale: Number = 1.0
    length: Annotated[int, Field(ge=1, le=31)] = 31


class ExceptionsSpec(Spec):
    """The exception codes of a device family, where they are not the standard's.

    Attributes:
        function: A function code the device does not have.
        wrong_function: One it has, on a register that it does not reach.
        address: A register that is not there.
        part: A read of a part of what must be read whole.
        part_write: A write of a part of a value.
        count: A count or a length outside the limits.
        value: A value that cannot be.
        state: The device understood and could not do it.
        busy: It cannot do it yet.
        lost: What is behind it does not answer.
    """

    function: ExceptionNumber = 1
    wrong_function: ExceptionNumber = 2
    address: ExceptionNumber = 2
    part: ExceptionNumber = 2
    part_write: ExceptionNumber = 3
    count: ExceptionNumber = 3
    value: ExceptionNumber = 3
    state: ExceptionNumber = 4
    busy: ExceptionNumber = 6
    lost: ExceptionNumber = 11


class ModbusSpec(Spec):
    """The register map of a type and how the device family answers.

    Attributes:
        numbering: The number the manual gives to wire address 0.
        same_tables: FC03 and FC04 read the same table.
        same_bits: FC01 and FC02 read the same table.
        holes: What a read over a gap between two registers gets: an exception, or 0 for the gap.
        read_only: The exception code for a write to a register that is read only (Schneider 2, V20 4).
        exceptions: The other exception codes.
        half_values: What a read that cuts a value in half gets: ``give`` half of it or ``refuse`` with exception 02.
        max_registers: The most registers of one request.
        max_bits: The most coils or discrete inputs of one request.
        functions: The function codes the device has, if not all that its map can serve.
        identification: Objects of function 43/14 by object id; ``{serial}`` is filled in.
        server_id: What function 17 says; the model when it is not given. ``{serial}`` is filled in.
        run_tag: The tag behind function 17's run indicator, which is ON without one.
        exception_status: Up to eight bool tags, function 07's bits from the least significant.
        files: Registers of each file of functions 20 and 21; their ``doc`` is the record number from 0.
        queues: FIFO queues of function 24 by the number of their pointer register.
    """

    numbering: Annotated[int, Field(ge=0, le=400001)] = 1
    same_tables: bool = False
    same_bits: bool = False
    holes: Literal["refuse", "zero"] = "refuse"
    read_only: Literal[1, 2, 3, 4] = 2
    exceptions: ExceptionsSpec = Field(default_factory=ExceptionsSpec)
    half_values: Literal["give", "refuse"] = "give"
    max_registers: Annotated[int, Field(ge=1, le=125)] = 125
    max_bits: Annotated[int, Field(ge=1, le=2000)] = 2000
    functions: tuple[Annotated[int, Field(ge=1, le=127)], ...] | None = None
    identification: dict[int, str] = Field(default_factory=dict)
    server_id: str | None = None
    run_tag: Name | None = None
    exception_status: Annotated[tuple[Name, ...], Field(max_length=8)] = ()
    files: dict[Annotated[int, Field(ge=1, le=65535)], tuple[RegisterSpec, ...]] = Field(default_factory=dict)
    queues: dict[int, QueueSpec] = Field(default_factory=dict)
    registers: tuple[RegisterSpec, ...]
