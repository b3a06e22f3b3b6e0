"""Verification of the seal: does it follow on the journal, and are all files as they were sealed?"""

from __future__ import annotations

from pathlib import Path

import msgspec

from labsim.errors import EvidenceError
from labsim.evidence import chain
from labsim.evidence.finding import Say
from labsim.evidence.seal import SEAL, Seal, hash_files
from labsim.evidence.signatures import Signatures
from labsim.evidence.verdicts import DOCUMENT, SIGNATURE
from labsim.evidence.verdicts import FOLDER as VERDICTS
from labsim.evidence.verify_journal import Followed


def verify_seal(folder: Path, journal: Followed, signatures: Signatures, say: Say) -> Seal | None:
    """Say what is wrong with the seal of an attempt, and what is no longer as it was sealed; the seal, if it can be read."""
    path = folder / SEAL
    if not path.is_file():
        last = signatures.last
        if last is not None and last.why == "seal":
            say(
                SEAL,
                "is missing, though the last signed head was made for it: it was removed, or the host died in that "
                "moment; then resume the attempt and close it",
            )
        else:
            say(SEAL, "is missing: the attempt was not sealed", note=True)
        return None
    data = path.read_bytes()
    try:
        seal = msgspec.json.decode(data, type=Seal)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        say(SEAL, f"is not a seal: {error}")
        return None
    if journal.whole:
        head, count = bytes.fromhex(journal.heads[-1]), len(journal.heads) - 1
        if not data.endswith(b"\n") or chain.open_line(data[:-1], head) is None:
            say(SEAL, "does not follow on the journal's head: the seal or the end of the journal was changed")
        if seal.seq != count:
            say(SEAL, f"was set on {seal.seq} records, the journal has {count}")
    if wrong := signatures.seal(chain.without_hash(data.rstrip(b"\n")), seal.key_id, seal.alg):
        say(SEAL, wrong)
    try:
        found = hash_files(folder)
    except EvidenceError as error:
        say(SEAL, str(error))
        return seal
    for name, sha256 in seal.files.items():
        if name not in found:
            say(name, "was sealed but is missing")
        elif found[name] != sha256:
            say(name, "was changed after the seal")
    for name in sorted(found.keys() - seal.files.keys()):
        later, signature = name.startswith(f"{VERDICTS}/"), f"{name.removesuffix(DOCUMENT)}{SIGNATURE}"
        if not later:
            say(name, "was added after the seal")
        elif name.endswith(DOCUMENT):
            unsigned = "" if signature in found else ", and nobody signed it"
            say(name, f"was given after the seal{unsigned}", note=True)
        elif not name.endswith(SIGNATURE):
            say(name, "is neither a verdict nor a signature of one")
    return seal
