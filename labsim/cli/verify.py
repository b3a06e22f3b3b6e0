"""``labsim verify``: whether an attempt folder is what its host wrote, and who says so."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.markup import escape

from labsim.cli import options as opt
from labsim.cli.output import out, print_json
from labsim.cli.words import say

if TYPE_CHECKING:
    from labsim.evidence.verdicts import Signature
    from labsim.evidence.verify import Verified


def verify(
    attempt: Path = opt.ATTEMPT,
    key: Path | None = typer.Option(
        None, help="The PEM file of the public key that must have signed: any key that the attempt carries otherwise."
    ),
    lang: str = opt.OWN_LANG,
    as_json: bool = opt.JSON,
) -> int:
    """Verify an attempt's chain, signatures, hashes and seal; names the first broken file, line and reason."""
    from labsim.evidence.key import PublicKey
    from labsim.evidence.verdicts import read_marked
    from labsim.evidence.verify import examine, ok

    lang = opt.language(lang) if lang else _own_language(attempt)
    verified = examine(attempt, PublicKey.read(key) if key is not None else None)
    good, marked = ok(verified.findings), read_marked(attempt)
    if as_json:
        print_json(
            {
                "ok": good,
                "problems": [finding.to_json() for finding in verified.findings],
                "signed_by": verified.signers,
                "verdicts": [one.to_json() for one in marked],
                "records": verified.records,
                "begun": verified.begun,
                "sealed": verified.sealed,
            }
        )
        return 0 if good else 1
    for finding in verified.findings:
        colour, mark = ("yellow", "·") if finding.note else ("red", "✘")
        out().print(f"[{colour}]{mark}[/] {escape(str(finding))}", soft_wrap=True)
    for signer in verified.signers:
        whose = "given" if key is not None else "own" if signer == _own_key() else "carried"
        _fact(say("signed", lang, key=signer, whose=say(f"key.{whose}", lang)))
    if not verified.signers:
        _fact(say("signed_by_nobody", lang))
    for one in marked:
        if not one.wrong:
            _fact(_who_marked(one.number, one.signature, verified.signers, lang))
    _fact(_times(verified, lang))
    out().print(f"[green]✔[/] {say('intact', lang)}" if good else f"[red]✘[/] {say('not_intact', lang)}")
    return 0 if good else 1


def _fact(sentence: str) -> None:
    out().print(f"[dim]·[/] {escape(sentence)}", soft_wrap=True)


def _times(verified: Verified, lang: str) -> str:
    """How much there is, and when it was begun and sealed."""
    parts = [say("records", lang, n=verified.records)]
    if verified.begun is not None:
        parts.append(say("begun", lang, when=verified.begun))
    parts.append(say("sealed", lang, when=verified.sealed) if verified.sealed is not None else say("unsealed", lang))
    return say("comma", lang).join(parts)


def _who_marked(number: str, said: Signature | None, signers: list[str], lang: str) -> str:
    """Who signed a verdict, and whether that is who ran the lab."""
    if said is None:
        return say("verdict_unsigned", lang, number=number)
    about = ", ".join(part for part in (said.by, said.why) if part)
    key = "verdict_signed" if not signers or said.key_id in signers else "verdict_of_another"
    return say(key, lang, number=number, about=f" ({about})" if about else "", key=said.key_id)


def _own_language(attempt: Path) -> str:
    """The language of the lab; English when the attempt cannot say it any more."""
    from labsim.errors import AttemptError
    from labsim.evidence.manifest import read_manifest
    from labsim.text import LANGUAGES

    try:
        lang = read_manifest(attempt).lang
    except AttemptError:
        return "en"
    return lang if lang in LANGUAGES else "en"


def _own_key() -> str:
    """The id of the key of the person at this machine; "" when there is none."""
    from labsim.errors import EvidenceError
    from labsim.evidence.key import PUBLIC, PublicKey
    from labsim.userdata import data_folder

    try:
        return PublicKey.read(data_folder() / PUBLIC).id
    except EvidenceError:
        return ""
