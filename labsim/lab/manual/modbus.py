"""The register map in a datasheet, in the vendor's own numbering, and how the device answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from labsim.lab.manual.say import Say, table
from labsim.plant.interface import Interface
from labsim.plant.register_spec import ModbusSpec, RegisterSpec, Table
from labsim.plant.tags import INTEGER_RANGE
from labsim.text import Text, tr

_TABLES: dict[Table, tuple[str, Text]] = {
    "holding": ("03, 06, 16", tr("Holding registers", "保持寄存器", "保持寄存器")),
    "input": ("04", tr("Input registers", "輸入寄存器", "输入寄存器")),
    "coil": ("01, 05, 15", tr("Coils", "線圈", "线圈")),
    "discrete": ("02", tr("Discrete inputs", "離散量輸入", "离散量输入")),
}
_ALONE = {"holding": "03", "coil": "01"}  # function codes of a table in which nothing can be written


def modbus(interface: Interface, spec: ModbusSpec, say: Say) -> str:
    """Numbering, exceptions, tables, files, queues, identification."""
    parts = ["## Modbus TCP", say("numbering", numbering=spec.numbering), say("scaled"), *_answers(spec, say)]
    for kind, (codes, title) in _TABLES.items():
        found = sorted((r for r in spec.registers if r.table == kind), key=lambda register: register.doc)
        if found:
            if all(register.access == "r" for register in found):
                codes = _ALONE.get(kind, codes)
            bits = kind in ("coil", "discrete")
            parts += [f"### {say(title)} ({say('functions')} {codes})", _registers(interface, found, say, bits=bits)]
    for number, file in spec.files.items():
        parts += [f"### {say('files', number=number)}", _registers(interface, file, say, bits=False)]
    if spec.queues:
        rows = [(pointer, say(interface.tags[q.tag].title), q.type, q.length) for pointer, q in spec.queues.items()]
        parts += [f"### {say('queues')}", table([say(w) for w in ("pointer", "meaning", "type", "most")], rows)]
    if spec.identification:
        objects = [
            f"- {number}: {text.replace('{serial}', '…')}" for number, text in sorted(spec.identification.items())
        ]
        parts.append(say("identity") + "\n\n" + "\n".join(objects))
    return "\n\n".join(parts)


def _answers(spec: ModbusSpec, say: Say) -> Iterator[str]:
    """How the device answers what is not in its map."""
    if spec.functions is not None:
        yield say("own_functions", codes=", ".join(f"{code:02d}" for code in spec.functions))
    yield f"### {say('exceptions')}"
    lines = [say("e01"), say("e02"), say("e03", most=spec.max_registers), say("read_only", code=spec.read_only)]
    yield "\n".join(f"- {line}" for line in lines)
    yield say(spec.half_values)
    if spec.holes == "zero":
        yield say("holes_zero")
    if spec.same_tables:
        yield say("same")


def _registers(interface: Interface, found: Sequence[RegisterSpec], say: Say, *, bits: bool) -> str:
    acting = any(register.effect != "level" for register in found)
    ordered = any(register.word_order for register in found)

    def row(register: RegisterSpec) -> list[str]:
        tag = interface.tags[register.tag] if register.tag is not None else None
        title = say(register.title or (tag.title if tag else Text()))
        if tag is None:
            title = f"{title}, {say('constant', value=register.constant)}".lstrip(", ")
        effect = [_effect(register, say)] if acting else []
        if bits:
            return [str(register.doc), title, register.access, *effect]
        return [
            str(register.doc),
            title,
            register.type,
            str(register.size),
            (tag.unit or "") if tag else "",
            _scale(register, say),
            register.access,
            _invalid(register, say),
            *([register.word_order or ""] if ordered else []),
            *effect,
        ]

    numbers = () if bits else ("type", "length", "unit", "scale")
    columns = ["number", "meaning", *numbers, "access", *(() if bits else ("invalid",))]
    columns += [*(["order"] if ordered and not bits else []), *(["effect"] if acting else [])]
    return table(map(say, columns), map(row, found))


def _scale(register: RegisterSpec, say: Say) -> str:
    scale = f"{register.scale:g}" if register.scale != 1 else ""
    return " ".join(filter(None, (scale, say("raw_offset", offset=f"{register.offset:g}") if register.offset else "")))


def _effect(register: RegisterSpec, say: Say) -> str:
    return "" if register.effect == "level" else say(register.effect, limit=register.wear_limit)


def _invalid(register: RegisterSpec, say: Say) -> str:
    if register.tag is None:
        return ""
    if isinstance(register.invalid, int):
        return str(register.invalid)
    if register.invalid == "sentinel" and register.type in INTEGER_RANGE:
        low, high = INTEGER_RANGE[register.type]
        return str(low or high)
    return say({"last": "last", "refuse": "refused"}.get(register.invalid, "nan"))
