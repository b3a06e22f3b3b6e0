"""Structures of companion specifications that an interface can use by name, as their published NodeSets have them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CompanionField:
    """A field: its type is one of `FieldType`, or a structure with its prefix."""

    name: str
    type: str
    array: bool
    optional: bool


@dataclass(frozen=True, slots=True)
class CompanionStructure:
    """A structure: numbers of its DataType and of its encoding in the namespace of the specification."""

    number: int
    encoding: int
    fields: tuple[CompanionField, ...]


def _structure(number: int, encoding: int, fields: str) -> CompanionStructure:
    """Read ``ID text; Description? localized[]``: ``?`` may be left out, ``[]`` is a list."""
    found = []
    for one in fields.split(";"):
        name, type_ = one.split()
        found.append(
            CompanionField(name.rstrip("?"), type_.removesuffix("[]"), type_.endswith("[]"), name.endswith("?"))
        )
    return CompanionStructure(number, encoding, tuple(found))


def _resource(number: int, encoding: int, use: str) -> CompanionStructure:
    """The four kinds of what a job needs have the same fields (OPC 10031-4 §6.3)."""
    return _structure(
        number,
        encoding,
        f"ID text; Description? localized[]; {use}? text; Quantity? decimal; EngineeringUnits? unit; "
        "Properties? isa95:ISA95PropertyDataType[]",
    )


_PARAMETER = "ID text; Value any; Description? localized[]; EngineeringUnits? unit; "
_NEEDS = (
    "Personnel{s}? isa95:ISA95PersonnelDataType[]; Equipment{s}? isa95:ISA95EquipmentDataType[]; "
    "PhysicalAsset{s}? isa95:ISA95PhysicalAssetDataType[]; Material{s}? isa95:ISA95MaterialDataType[]"
)

STRUCTURES: dict[str, CompanionStructure] = {
    # OPC 30050 PackML 1.01
    "packml:PackMLCountDataType": _structure(14, 69, "ID i32; Name text; Unit unit; Count i32; AccCount i32"),
    "packml:PackMLAlarmDataType": _structure(
        15, 74, "ID i32; Value i32; Message text; Category i32; DateTime utc; AckDateTime utc; Trigger bool"
    ),
    "packml:PackMLDescriptorDataType": _structure(16, 77, "ID i32; Name text; Unit unit; Value f32"),
    "packml:PackMLIngredientsDataType": _structure(
        17, 79, "IngredientID i32; Parameter packml:PackMLDescriptorDataType[]"
    ),
    "packml:PackMLProductDataType": _structure(
        18,
        81,
        "ProductID i32; ProcessVariables packml:PackMLDescriptorDataType[]; "
        "Ingredients packml:PackMLIngredientsDataType[]",
    ),
    "packml:PackMLRemoteInterfaceDataType": _structure(
        19, 83, "Number i32; ControlCmdNumber i32; CmdValue i32; Parameter packml:PackMLDescriptorDataType[]"
    ),
    # OPC 10031-4 ISA-95 job control 2.0
    "isa95:ISA95PropertyDataType": _structure(3002, 5002, _PARAMETER + "Subproperties? isa95:ISA95PropertyDataType[]"),
    "isa95:ISA95ParameterDataType": _structure(
        3003, 5005, _PARAMETER + "Subparameters? isa95:ISA95ParameterDataType[]"
    ),
    "isa95:ISA95EquipmentDataType": _resource(3005, 5008, "EquipmentUse"),
    "isa95:ISA95StateDataType": _structure(3006, 5029, "BrowsePath path; StateText localized; StateNumber u32"),
    "isa95:ISA95WorkMasterDataType": _structure(
        3007, 5011, "ID text; Description? localized; Parameters? isa95:ISA95ParameterDataType[]"
    ),
    "isa95:ISA95JobOrderDataType": _structure(
        3008,
        5014,
        "JobOrderID text; Description? localized[]; WorkMasterID? isa95:ISA95WorkMasterDataType[]; StartTime? datetime; "
        "EndTime? datetime; Priority? i16; JobOrderParameters? isa95:ISA95ParameterDataType[]; "
        + _NEEDS.format(s="Requirements"),
    ),
    "isa95:ISA95MaterialDataType": _structure(
        3010,
        5017,
        "MaterialClassID? text; MaterialDefinitionID? text; MaterialLotID? text; MaterialSublotID? text; "
        "Description? localized[]; MaterialUse? text; Quantity? decimal; EngineeringUnits? unit; "
        "Properties? isa95:ISA95PropertyDataType[]",
    ),
    "isa95:ISA95PersonnelDataType": _resource(3011, 5020, "PersonnelUse"),
    "isa95:ISA95PhysicalAssetDataType": _resource(3012, 5023, "PhysicalAssetUse"),
    "isa95:ISA95JobResponseDataType": _structure(
        3013,
        5026,
        "JobResponseID text; Description? localized; JobOrderID text; StartTime? datetime; EndTime? datetime; "
        "JobState isa95:ISA95StateDataType[]; JobResponseData? isa95:ISA95ParameterDataType[]; "
        + _NEEDS.format(s="Actuals"),
    ),
    "isa95:ISA95JobOrderAndStateDataType": _structure(
        3015, 5032, "JobOrder isa95:ISA95JobOrderDataType; State isa95:ISA95StateDataType[]"
    ),
}
"""By prefix and name."""
