"""The document of faults and the code say the same."""

from __future__ import annotations

from pathlib import Path

from labsim.lab.fault_catalogue import TITLES, document, shown_by

DOCUMENT = Path(__file__).parents[2] / "docs" / "faults.md"


def test_the_document_is_up_to_date() -> None:
    """Its tables are those of the code: ``python -m labsim.lab.fault_catalogue docs/faults.md`` makes them."""
    text = DOCUMENT.read_text(encoding="utf-8")
    assert document(text) == text


def test_every_number_of_the_catalogue_is_shown() -> None:
    """All 65 can be begun or happen by themselves."""
    assert len(TITLES) == 65
    assert not [number for number, how in shown_by().items() if not how]
