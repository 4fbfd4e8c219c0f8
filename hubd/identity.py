"""A hub's own keys, each for one purpose, and the announcement that names their public halves.

`hub` signs the hub's actions (announcements, receipts), `curve` speaks to other hubs, `box` opens bundles, `wallet` pays
fees. None of them can speak for a person or a steward, so a stolen Pi is retired and costs a week of fees.
"""

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nacl.public
import zmq
from zmq.utils import z85

from hubd.action.content import seal_content
from hubd.action.envelope import Action, seal
from hubd.action.principal import Principal
from hubd.action.signature import Signer
from hubd.action.sip018 import NO_ID, ActionId, Domain
from hubd.action.statement import SALT_BYTES, Statement
from hubd.limits import STATEMENT_LIFE_S
from hubd.store import keyfile

PURPOSES = ("hub", "curve", "box", "wallet")
KEYS_FOLDER = "keys"


@dataclass(frozen=True)
class Identity:
    """The secrets of one hub, 32 bytes each. Never printed."""

    hub: Signer
    curve_secret: bytes
    box: nacl.public.PrivateKey
    wallet: Signer

    def __repr__(self) -> str:
        return "Identity(...)"

    @classmethod
    def make(cls, directory: Path) -> "Identity":
        """The keys of a new hub, made where they are not there yet; none is ever replaced."""
        for purpose in PURPOSES:
            path = directory / KEYS_FOLDER / f"{purpose}.key"
            if not path.exists():
                keyfile.write(path, keyfile.KeyFile(purpose, keyfile.new_secret()))
        return cls.open(directory)

    @classmethod
    def open(cls, directory: Path) -> "Identity":
        """The keys in a data directory. Raises `FatalError("key-missing")`: a lost key is never replaced in silence."""
        folder = directory / KEYS_FOLDER
        secret = {purpose: keyfile.read(folder / f"{purpose}.key", purpose) for purpose in PURPOSES}
        return cls(
            Signer(secret["hub"]), secret["curve"], nacl.public.PrivateKey(secret["box"]), Signer(secret["wallet"])
        )

    @property
    def curve_public(self) -> bytes:
        """The CURVE public key, 32 bytes."""
        return bytes(z85.decode(zmq.curve_public(z85.encode(self.curve_secret))))

    def principal(self, domain: Domain) -> Principal:
        """Who this hub is in the mesh."""
        return self.hub.principal(domain.network)

    def announcement(self, *, name: str, addresses: list[str], uplink: bool) -> dict[str, Any]:
        """What a `hub-announce` says: the content's map."""
        return {
            "addresses": addresses,
            "box": bytes(self.box.public_key),
            "curve": self.curve_public,
            "name": name,
            "uplink": uplink,
        }


def sign_action(  # noqa: PLR0913  # the columns that differ between kinds
    signer: Signer,
    domain: Domain,
    kind: str,
    now_s: int,
    content: dict[str, Any] | None = None,
    *,
    subject: ActionId = NO_ID,
    who: Principal | None = None,
    bits: int = 0,
) -> Action:
    """A sealed action of the mesh area, with fresh salts and the default lifetime."""
    body = None if content is None else seal_content(content, secrets.token_bytes(16))
    statement = Statement(
        action=kind,
        author=signer.principal(domain.network),
        created=now_s,
        expires=now_s + STATEMENT_LIFE_S,
        salt=secrets.token_bytes(SALT_BYTES),
        subject=subject,
        who=who,
        bits=bits,
    )
    return seal(statement, signer, domain, body)
