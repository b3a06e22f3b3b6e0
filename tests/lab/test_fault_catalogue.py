"""The document of faults and the code say the same."""

from __future__ import annotations

from pathlib import Path

from labsim.lab.fault_catalogue import TITLES, document, shown_by

DOCUMENT = Path(__file__).parents[2] / "docs" / "faults.md"
ROGUE = {"N12", "N14", "N15", "N16", *(f"C{number:02}" for number in range(1, 13))}


def test_the_document_is_up_to_date() -> None:
    """Its tables are those of the code: ``python -m labsim.lab.fault_catalogue docs/faults.md`` makes them."""
    text = DOCUMENT.read_text(encoding="utf-8")
    assert document(text) == text


def test_every_number_of_the_catalogue_is_shown_or_is_a_rogue_client() -> None:
    """All 65, save those of rogue clients and what no device type has yet, can be begun or happen by themselves."""
    assert len(TITLES) == 65
    missing = {number for number, how in shown_by().items() if not how}
    assert missing <= ROGUE | {"P18"}
