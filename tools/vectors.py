"""`./dev vectors DIR`: run every vector file of a known format in DIR through the product's code.

A format is known by what its cases hold, so files of the same make under other names run, too. Closes with
`N passed, N failed`; exits 1 on any failure, on an unreadable file and when nothing was recognised.
"""

import hashlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hubd.action import cbor, clarity, envelope
from hubd.action.network import BY_NAME
from hubd.action.principal import Principal, address, check_principal, parse_address
from hubd.action.signature import Signer, principal_of, recover
from hubd.action.sip018 import ActionId, Domain
from hubd.action.statement import FIELDS, Statement
from hubd.errors import RemoteError

Case = dict[str, Any]
Check = Callable[[Case], bool]
CASES_SHOWN_MAX = 20


def domain_of(case: Case) -> Domain:
    """The domain of a case's network and mesh."""
    return Domain(BY_NAME[case["network"]], parse_address(case["mesh"]))


def statement_of(fields: Case) -> Statement:
    """The statement of a vector's text fields."""

    def principal(text: str | None) -> Principal | None:
        return None if text is None else parse_address(text)

    author = principal(fields["author"])
    assert author is not None
    assert set(fields) == set(FIELDS), "a statement has twelve fields"
    return Statement(
        action=fields["action"],
        amount=int(fields["amount"]),
        asset=principal(fields["asset"]),
        author=author,
        bits=int(fields["bits"]),
        content=bytes.fromhex(fields["content"]),
        created=int(fields["created"]),
        expires=int(fields["expires"]),
        moment=int(fields["moment"]),
        salt=bytes.fromhex(fields["salt"]),
        subject=ActionId(bytes.fromhex(fields["subject"])),
        who=principal(fields["who"]),
    )


def secret_of(text: str) -> bytes:
    """A private key as stacks tools write it: 32 bytes, a trailing 01 for "compressed"."""
    return bytes.fromhex(text)[:32]


def check_address(case: Case) -> bool:
    """Text to bytes and back."""
    principal = parse_address(case["address"])
    return (
        address(principal) == case["address"]
        and principal[0] == case["version"]
        and principal[1:].hex() == case["hash160"]
    )


def check_clarity(case: Case) -> bool:
    """Consensus bytes to a value and back."""
    raw = bytes.fromhex(case["hex"])
    return clarity.encode(clarity.decode(raw)) == raw


def check_statement(case: Case) -> bool:
    """Statement bytes, domain bytes, id, signature both ways, and the envelope's own fast bytes."""
    domain, statement = domain_of(case), statement_of(case["statement"])
    signer = Signer(secret_of(case["private_key"]))
    action_id = domain.digest(statement.clarity())
    signature = bytes.fromhex(case["signature_rsv"])
    return (
        statement.clarity().hex() == case["clarity_bytes"]
        and domain.clarity().hex() == case["domain_bytes"]
        and action_id.hex() == case["id"]
        and signer.sign(action_id) == signature
        and principal_of(recover(action_id, signature), domain.network) == statement.author
        and check_principal(statement.author, domain.network) == statement.author
    )


def check_accept(case: Case) -> bool:
    """An envelope that must be accepted, with this id and author, and written again byte for byte."""
    raw = bytes.fromhex(case["envelope"])
    action = envelope.parse(raw, domain_of(case))
    content = None if case["content"] is None else bytes.fromhex(case["content"])
    return (
        action.id.hex() == case["id"]
        and address(action.statement.author) == case["author"]
        and action.kind == case["action"]
        and action.content == content
        and envelope.encode(action) == raw
    )


def check_refuse(case: Case) -> bool:
    """An envelope that must be refused, as somebody else's fault."""
    try:
        envelope.parse(bytes.fromhex(case["envelope"]), domain_of(case))
    except RemoteError:
        return True
    return False


def check_hostile(case: Case) -> bool:
    """CBOR that the profile must refuse."""
    try:
        cbor.decode(bytes.fromhex(case["hex"]))
    except RemoteError:
        return True
    return False


def _negentropy() -> Check:
    from tools.vectors_negentropy import check_transcript  # noqa: PLC0415  # adapters load with their format

    return check_transcript


def _transactions() -> Check:
    from tools.vectors_transactions import check_transaction  # noqa: PLC0415  # adapters load with their format

    return check_transaction


# A format: the keys by which a case is known, and its check.
FORMATS: tuple[tuple[str, frozenset[str], Callable[[], Check]], ...] = (
    ("address", frozenset({"address", "hash160", "version"}), lambda: check_address),
    ("statement", frozenset({"statement", "clarity_bytes", "signature_rsv"}), lambda: check_statement),
    ("envelope to accept", frozenset({"envelope", "id", "author"}), lambda: check_accept),
    ("envelope to refuse", frozenset({"envelope", "why"}), lambda: check_refuse),
    ("negentropy transcript", frozenset({"messages", "have", "need"}), _negentropy),
    ("transaction", frozenset({"raw", "txid", "type"}), _transactions),
    ("Clarity value", frozenset({"pretty", "hex"}), lambda: check_clarity),
    ("hostile CBOR", frozenset({"name", "hex"}), lambda: check_hostile),
)


def cases_of(document: Any) -> Iterator[tuple[str, Check, Case]]:
    """Every case of a file with its format's name and check. Raises ValueError for a case of no known format."""
    lists = [value for value in document.values() if isinstance(value, list)] if isinstance(document, dict) else []
    if not any(lists):
        raise ValueError("no list of cases")
    for case in (case for cases in lists for case in cases):
        for name, keys, load in FORMATS:
            if isinstance(case, dict) and keys <= set(case):
                yield name, load(), case
                break
        else:
            raise ValueError("a case of no known format")


def run_file(path: Path) -> tuple[int, list[str]]:
    """Cases passed, and what failed in words."""
    try:
        found = list(cases_of(json.loads(path.read_text("utf-8"))))
    except (OSError, ValueError) as error:
        return 0, [f"{path.name}: unreadable ({error})"]
    passed, failures = 0, []
    for position, (name, check, case) in enumerate(found):
        label = case.get("name") or case.get("why") or hashlib.sha256(repr(case).encode()).hexdigest()[:8]
        try:
            good = check(case)
        except Exception as error:  # noqa: BLE001  # any error of the product fails the case, and the next one runs
            good, label = False, f"{label} ({type(error).__name__}: {error})"
        if good:
            passed += 1
        else:
            failures.append(f"{path.name}: case {position}, {name}, {label}")
    return passed, failures


def main(arguments: list[str]) -> int:
    """Returns the exit code."""
    if len(arguments) != 1:
        print("usage: ./dev vectors DIR", file=sys.stderr)
        return 2
    if not Path(arguments[0]).is_dir():
        print(f"{arguments[0]} is no folder", file=sys.stderr)
        return 2
    passed, failures = 0, []
    paths = sorted(Path(arguments[0]).glob("*.json"))
    for path in paths:
        good, bad = run_file(path)
        print(f"{path.name}: {good} passed, {len(bad)} failed", file=sys.stderr)
        passed, failures = passed + good, failures + bad
    if not paths:
        failures.append(f"{arguments[0]}: no vector file")
    for failure in failures[:CASES_SHOWN_MAX]:
        print(f"failed: {failure}", file=sys.stderr)
    print(f"{passed} passed, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
