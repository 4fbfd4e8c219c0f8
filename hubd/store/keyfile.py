"""Secret keys on disk: one small JSON file each, mode 0600, sealed with a passphrase where one is given.

A hub that must start by itself after a power cut keeps its own keys unsealed: they can be revoked by stewards and hold a
week of fees. Keys that speak for people (a person, a steward) are sealed: argon2id, then XSalsa20-Poly1305 (libsodium).
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import nacl.exceptions
import nacl.pwhash
import nacl.secret
import nacl.utils

from hubd.errors import FatalError

SECRET_BYTES = 32
_VERSION = 1
_FILE_BYTES_MAX = 4_096
_OPS = nacl.pwhash.argon2id.OPSLIMIT_INTERACTIVE
_MEMORY = nacl.pwhash.argon2id.MEMLIMIT_INTERACTIVE  # 64 MiB: bearable on a Pi 3


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A secret and what it is for ("person", "steward", "hub", "curve", "box", "wallet")."""

    purpose: str
    secret: bytes

    def __repr__(self) -> str:
        return f"KeyFile({self.purpose!r}, ...)"


def new_secret() -> bytes:
    """32 random bytes from the operating system."""
    return nacl.utils.random(SECRET_BYTES)


def _box(passphrase: str, salt: bytes) -> nacl.secret.SecretBox:
    key = nacl.pwhash.argon2id.kdf(SECRET_BYTES, passphrase.encode("utf-8"), salt, opslimit=_OPS, memlimit=_MEMORY)
    return nacl.secret.SecretBox(key)


def _name_once(waiting: Path, path: Path) -> None:
    """Give a finished file its name unless that is taken; on file systems without links (a stick), nearly so."""
    try:
        os.link(waiting, path)
    except FileExistsError:
        raise
    except OSError:
        if path.exists():
            raise FileExistsError(path) from None
        waiting.replace(path)


def write(path: Path, key: KeyFile, passphrase: str | None = None) -> None:
    """Write a new key file, durably. An existing file is never overwritten: `FatalError("key-exists")`."""
    assert len(key.secret) == SECRET_BYTES
    entries: dict[str, str | int] = {"hubd-key": _VERSION, "purpose": key.purpose}
    if passphrase:
        salt = nacl.utils.random(nacl.pwhash.argon2id.SALTBYTES)
        entries |= {"salt": salt.hex(), "sealed": bytes(_box(passphrase, salt).encrypt(key.secret)).hex()}
    else:
        entries["secret"] = key.secret.hex()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    waiting = path.with_name(f".{path.name}.part")
    waiting.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "w") as file:
            json.dump(entries, file)
            file.flush()
            os.fsync(file.fileno())
        _name_once(waiting, path)
    except FileExistsError as error:
        raise FatalError(
            "key-exists", f"{path} is there already", hint="move it away first; keys are never overwritten"
        ) from error
    finally:
        waiting.unlink(missing_ok=True)


def read(path: Path, purpose: str, passphrase: str | None = None) -> bytes:
    """The secret of a key file. Raises `FatalError`: `key-missing`, `key-damaged`, `key-passphrase`."""
    try:
        raw = path.read_bytes()[: _FILE_BYTES_MAX + 1]
    except OSError as error:
        raise FatalError(
            "key-missing",
            f"{path}: {error.strerror}",
            hint="is this the right folder? A hub's keys are made by `hubd init`",
        ) from error
    try:
        entries = json.loads(raw)
        if entries["hubd-key"] != _VERSION or entries["purpose"] != purpose:
            raise ValueError("another purpose or version")
        if "secret" in entries:
            secret = bytes.fromhex(entries["secret"])
        elif not passphrase:
            raise FatalError(
                "key-passphrase",
                f"{path} is sealed",
                hint="give its passphrase in HUBD_PASSPHRASE or with --passphrase-file",
            )
        else:
            secret = _box(passphrase, bytes.fromhex(entries["salt"])).decrypt(bytes.fromhex(entries["sealed"]))
        if len(secret) != SECRET_BYTES:
            raise ValueError("not 32 bytes")
    except nacl.exceptions.CryptoError as error:
        raise FatalError(
            "key-passphrase", f"the passphrase does not open {path}", hint="try again; capital letters count"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise FatalError(
            "key-damaged", f"{path} is no {purpose} key of hubd", hint="restore it from its backup"
        ) from error
    return secret
