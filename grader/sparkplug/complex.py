"""Assertions of data types, properties, data sets and templates (§6.4.6 to §6.4.15)."""

from __future__ import annotations

from collections.abc import Iterator

from grader.sparkplug.assertion import (
    COMPLEX,
    HAS,
    IS,
    LACKS,
    MONITOR,
    UNBORN,
    Result,
    asserts,
    breaks,
    holds,
    judged,
)
from grader.sparkplug.birth import every_metric, label
from grader.sparkplug.story import Message, Story, definitions
from labsim.sparkplug.datatype import BASIC, METRIC_TYPES, PROPERTY_TYPES, DataType
from labsim.sparkplug.payload import BAD, GOOD, QUALITY, STALE, DataSet, PropertySet, PropertySetList, Template
from labsim.text import tr

_NO_VALUE = tr(
    "{part} in {what} is no value of its type: {got}.",
    "{what} 中的 {part} 與其類型不符：{got}。",
    "{what} 中的 {part} 与其类型不符：{got}。",
)


@asserts(COMPLEX, "payloads-metric-datatype-value", "payloads-metric-datatype-value-type")
def _types_are_known_and_kept(story: Story) -> Iterator[Result]:
    """The number names a type, and the value that is sent is one of it."""
    for message, metric in every_metric(story):
        known = message.birth.find(metric) if message.birth is not None and message.is_data else None
        datatype = metric.datatype if metric.datatype is not None else known.datatype if known is not None else None
        if datatype is None:
            continue
        if datatype not in METRIC_TYPES:
            yield breaks(
                message.record, IS, what=f"{message.name}: {label(metric)}", part="datatype", got=datatype, want="1…34"
            )
            continue
        try:
            if metric.value is not None:
                metric.worth(datatype)
        except ValueError as error:
            yield breaks(message.record, _NO_VALUE, what=message.name, part=label(metric), got=error)
        else:
            yield holds(message.record)


@asserts(COMPLEX, "payloads-propertyset-keys-array-size", "payloads-propertyset-values-array-size")
def _properties_pair(story: Story) -> Iterator[Result]:
    for message, what, properties in _property_sets(story):
        keys, values = len(properties.keys), len(properties.values)
        yield judged(
            message.record, keys == values, IS, what=what, part="keys, values", got=f"{keys}, {values}", want="="
        )


@asserts(COMPLEX, "payloads-metric-propertyvalue-type-req")
def _properties_have_types(story: Story) -> Iterator[Result]:
    for message, what, properties in _property_sets(story):
        if message.is_birth:
            for name, value in zip(properties.keys, properties.values, strict=False):
                yield judged(message.record, value.type is not None, LACKS, what=f"{what}: {name}", part="type")


@asserts(COMPLEX, "payloads-metric-propertyvalue-type-value", "payloads-metric-propertyvalue-type-type")
def _property_types_are_known(story: Story) -> Iterator[Result]:
    for message, what, properties in _property_sets(story):
        for name, value in zip(properties.keys, properties.values, strict=False):
            if value.type is not None:
                ok = value.type in PROPERTY_TYPES
                yield judged(
                    message.record, ok, IS, what=f"{what}: {name}", part="type", got=value.type, want="1…15, 20, 21"
                )


@asserts(COMPLEX, "payloads-propertyset-quality-value-type")
def _quality_is_int32(story: Story) -> Iterator[Result]:
    for message, what, properties in _property_sets(story):
        quality = properties.get(QUALITY)
        if quality is not None and quality.type is not None:
            want = int(DataType.INT32)
            yield judged(message.record, quality.type == want, IS, what=f"{what}: {QUALITY}", part="type",
                         got=quality.type, want=want)  # fmt: skip


@asserts(COMPLEX, "payloads-propertyset-quality-value-value")
def _quality_is_known(story: Story) -> Iterator[Result]:
    for message, what, properties in _property_sets(story):
        quality = properties.get(QUALITY)
        if quality is not None:
            got = quality.value[1] if quality.value is not None else None
            ok = quality.value is not None and quality.value[0] == "int_value" and got in (BAD, GOOD, STALE)
            yield judged(message.record, ok, IS, what=what, part=QUALITY, got=got, want=f"{BAD}, {GOOD}, {STALE}")


@asserts(COMPLEX, "payloads-dataset-column-size")
def _columns_are_counted(story: Story) -> Iterator[Result]:
    for message, what, table in _data_sets(story):
        want = len(table.columns)
        yield judged(message.record, table.num_of_columns == want, IS, what=what, part="num_of_columns",
                     got=table.num_of_columns, want=want)  # fmt: skip


@asserts(COMPLEX, "payloads-dataset-column-num-headers", "payloads-dataset-types-num")
def _columns_have_types(story: Story) -> Iterator[Result]:
    for message, what, table in _data_sets(story):
        got, want = len(table.types), len(table.columns)
        yield judged(message.record, got == want, IS, what=what, part="types", got=got, want=want)


@asserts(COMPLEX, "payloads-dataset-parameter-type-req", "payloads-dataset-types-def")
def _data_sets_have_types(story: Story) -> Iterator[Result]:
    for message, what, table in _data_sets(story):
        yield judged(message.record, bool(table.types) or not table.columns, LACKS, what=what, part="types")


@asserts(COMPLEX, "payloads-dataset-types-value", "payloads-dataset-types-type")
def _column_types_are_known(story: Story) -> Iterator[Result]:
    for message, what, table in _data_sets(story):
        wrong = next((kind for kind in table.types if kind not in BASIC), None)
        yield judged(message.record, wrong is None, IS, what=what, part="types", got=wrong, want="1…15")


@asserts(COMPLEX, "payloads-template-is-definition")
def _templates_say_what_they_are(story: Story) -> Iterator[Result]:
    for message, what, template in _templates(story):
        yield judged(message.record, template.is_definition is not None, LACKS, what=what, part="is_definition")


@asserts(COMPLEX, "payloads-template-definition-nbirth-only")
def _definitions_are_of_the_node(story: Story) -> Iterator[Result]:
    for message, what, template in _templates(story):
        if template.is_definition:
            born = message.topic.kind == "NBIRTH"
            yield judged(message.record, born, HAS, what=message.name, part=f"definition {what}")


@asserts(COMPLEX, "payloads-template-definition-ref", "payloads-template-ref-definition")
def _definitions_refer_to_nothing(story: Story) -> Iterator[Result]:
    for message, what, template in _templates(story):
        if template.is_definition:
            yield judged(message.record, template.template_ref is None, HAS, what=what, part="template_ref")


@asserts(COMPLEX, "payloads-template-instance-ref", "payloads-template-ref-instance")
def _instances_refer_to_a_definition(story: Story) -> Iterator[Result]:
    for message, what, template in _templates(story):
        if template.is_definition is False:
            yield judged(message.record, bool(template.template_ref), LACKS, what=what, part="template_ref")


@asserts(MONITOR, "topics-nbirth-templates")
@asserts(COMPLEX, "payloads-template-definition-nbirth")
def _definitions_are_born(story: Story) -> Iterator[Result]:
    for message, what, template, known in _instances(story):
        found = known.get(template.template_ref or "")
        yield judged(message.record, found is not None, UNBORN, what=what, part=template.template_ref)


@asserts(COMPLEX, "payloads-template-instance-members", "payloads-template-definition-members")
def _instances_have_known_members(story: Story) -> Iterator[Result]:
    for message, what, template, known in _instances(story):
        found = known.get(template.template_ref or "")
        if found is not None:
            names = {metric.name for metric in found.metrics}
            other = next((label(metric) for metric in template.metrics if metric.name not in names), None)
            yield judged(message.record, other is None, HAS, what=what, part=other)


@asserts(COMPLEX, "payloads-template-instance-members-birth")
def _born_instances_have_all_members(story: Story) -> Iterator[Result]:
    for message, what, template, known in _instances(story):
        found = known.get(template.template_ref or "")
        if found is not None and message.is_birth:
            names = {metric.name for metric in template.metrics}
            lacking = next((label(metric) for metric in found.metrics if metric.name not in names), None)
            yield judged(message.record, lacking is None, LACKS, what=what, part=lacking)


@asserts(COMPLEX, "payloads-template-parameter-name-required", "payloads-template-parameter-name-type")
def _parameters_have_names(story: Story) -> Iterator[Result]:
    for message, what, template in _templates(story):
        for parameter in template.parameters:
            yield judged(message.record, parameter.name is not None, LACKS, what=what, part="parameter name")


@asserts(COMPLEX, "payloads-template-parameter-type-req")
def _parameters_have_types(story: Story) -> Iterator[Result]:
    for message, what, template in _templates(story):
        for parameter in template.parameters:
            if message.is_birth:
                yield judged(
                    message.record, parameter.type is not None, LACKS, what=f"{what}: {parameter.name}", part="type"
                )


@asserts(COMPLEX, "payloads-template-parameter-type-value", "payloads-template-parameter-value-type")
def _parameter_types_are_known(story: Story) -> Iterator[Result]:
    for message, what, template in _templates(story):
        for parameter in template.parameters:
            if parameter.type is not None:
                ok = parameter.type in BASIC
                yield judged(
                    message.record,
                    ok,
                    IS,
                    what=f"{what}: {parameter.name}",
                    part="type",
                    got=parameter.type,
                    want="1…15",
                )


def _property_sets(story: Story) -> Iterator[tuple[Message, str, PropertySet]]:
    """Every set of properties, those inside others included."""
    for message, metric in story.structured:
        waiting = [metric.properties] if metric.properties is not None else []
        while waiting:
            properties = waiting.pop()
            yield message, f"{message.name}: {label(metric)}", properties
            for value in properties.values:
                inner = value.value[1] if value.value is not None else None
                if isinstance(inner, PropertySet):
                    waiting.append(inner)
                elif isinstance(inner, PropertySetList):
                    waiting += inner.propertyset


def _data_sets(story: Story) -> Iterator[tuple[Message, str, DataSet]]:
    for message, metric in story.structured:
        if metric.value is not None and isinstance(metric.value[1], DataSet):
            yield message, f"{message.name}: {label(metric)}", metric.value[1]


def _templates(story: Story) -> Iterator[tuple[Message, str, Template]]:
    """Every template, those inside others included."""
    for message, metric in story.structured:
        waiting = [metric]
        while waiting:
            at = waiting.pop()
            if at.value is not None and isinstance(at.value[1], Template):
                yield message, f"{message.name}: {label(at)}", at.value[1]
                waiting += at.value[1].metrics


def _instances(story: Story) -> Iterator[tuple[Message, str, Template, dict[str, Template]]]:
    """Every instance, with the definitions that the NBIRTH in force has given; none of a birth that was not kept whole."""
    known: dict[str, Template] | None = None
    births = {m.record.seq: definitions(m.metrics) for m in story.of("NBIRTH") if m.payload is not None}
    cut = {m.record.seq for m in story.of("NBIRTH") if m.payload is None}
    seen = 0
    for message, what, template in _templates(story):
        for seq in sorted({*births, *cut}):
            if seen < seq <= message.record.seq:
                seen, known = seq, births.get(seq)
        if template.is_definition is False and template.template_ref and known is not None:
            yield message, what, template, known
