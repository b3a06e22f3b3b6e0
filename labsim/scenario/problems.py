"""The codes of problems in a scenario, each with a sentence on what it means.

Codes are stable: editors and scripts may filter by them. Those in `CARE` are told by ``labsim lint`` and do not keep a
scenario from running, so that an author can try a draft.
"""

from __future__ import annotations

PROBLEMS = {
    "yaml": "The file is not YAML, or uses a part of YAML that scenarios do without (tags, several documents).",
    "encoding": "The file is not UTF-8.",
    "duplicate-key": "A key stands twice in one mapping.",
    "missing-key": "A key that must be there is not.",
    "unknown-key": "A key that means nothing where it stands.",
    "bad-value": "A value of the wrong type or outside what is allowed.",
    "bad-check": "A check or penalty is not written as one name with a mapping of parameters.",
    "bad-placeholder": "'${' begins a placeholder that is not '${name}'; '$${' writes a plain '${'.",
    "unknown-variant": "A placeholder names a variant that the scenario does not have.",
    "unused-variant": "A variant is drawn, but no placeholder uses it.",
    "unknown-device-type": "The plant holds a device of a type that is not installed.",
    "unknown-setting": "A device type does not have that setting.",
    "bad-setting": "A device's setting cannot have that value.",
    "unknown-device": "The plant has no device of that name.",
    "unknown-server": "A check names an OPC UA server that no endpoint is called.",
    "unknown-link": "The timeline or a probe names an endpoint that the scenario does not have.",
    "unknown-tag": "The device has no tag of that name.",
    "unknown-fault": "Nothing of that name can happen to the tag, the device or the endpoint.",
    "bad-sensor": "A sensor chain has a stage that is none, or a value that it cannot have.",
    "unknown-nameplate": "A nameplate has no field of that name.",
    "unknown-include": "There is no ready plant of that name, or no file at that path.",
    "bad-include": "Ready plants do not go together with each other or with the scenario.",
    "unknown-port": "The device has no port of that name, or not in that direction.",
    "bad-flow": "The two ends of a flow do not fit, or one of them is joined already.",
    "wrong-protocol": "An endpoint names a device that does not speak its protocol.",
    "missing-place": "The topics of an MQTT endpoint need a level of a device's place that it does not have.",
    "unknown-check": "No check of that name is installed.",
    "duplicate-id": "Two tasks, two checks or two accounts share a name.",
    "duplicate-port": "Two endpoints listen on one port.",
    "unknown-dependency": "'depends' names a task or check that the scenario does not have.",
    "dependency-cycle": "Tasks or checks depend on each other in a circle.",
    "marks-sum": "A task's marks are not the sum of its checks' marks.",
    "unreachable-marks": "Marks that nobody can earn, whatever a trainee does.",
    "hint-cost": "Hints cost more than their task is worth.",
    "missing-brief": "A task's briefing is in no language.",
    "missing-language": "A text or a briefing lacks one of the languages.",
    "unknown-competence": "A competence is neither of the framework nor a URI of another one.",
    "bad-script": "A python check names a file or a function that the scenario does not have, or that is no Python.",
    "bad-wrong-answer": "A wrong answer does not say in LOSES which marks it must lose, or names what does not exist.",
}
"""Sentence by code."""

CARE = frozenset({"missing-language", "unused-variant", "unknown-competence", "bad-wrong-answer"})
"""Codes that only lint tells."""
