"""Sentences for people, by code: one TOML file a language in `hubd/locale`. docs/errors.md is made of it.

Codes are the ones of `hubd/errors.py`, the reasons of deferring, and two families with a prefix: `void-REASON` for actions
without effect and `chain-NUMBER` for what a contract answered. The English of the latter is the contracts' own table,
`contracts/errors.json`, which an installed hub carries with it.
"""

import json
import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

DEFAULT_LANGUAGE = "en"
_LOCALE = "locale"
_LANGUAGE = re.compile(r"[a-z]{2,3}(?=[-_.@]|\Z)")  # the first part of "sw", "sw-KE" or "sw_KE.UTF-8"
_UNKNOWN = "unknown"
_CHAIN = "chain"

Catalogue = Mapping[str, Mapping[str, str]]


@cache
def languages() -> frozenset[str]:
    """The languages there is a file of."""
    folder = files(__package__) / _LOCALE
    return frozenset(file.name.removesuffix(".toml") for file in folder.iterdir() if file.name.endswith(".toml"))


def contract_errors() -> Mapping[str, Mapping[str, Any]]:
    """The contracts' table of errors, by number: name, contract, retry, words."""
    shipped = files(__package__) / "contract-errors.json"
    table = shipped if shipped.is_file() else Path(__file__).parent.parent / "contracts" / "errors.json"
    found: dict[str, dict[str, Any]] = json.loads(table.read_text("utf-8"))
    return found


@cache
def catalogue(language: str = DEFAULT_LANGUAGE) -> Catalogue:
    """The sentences of one language by section and code; the section "" holds what is said of unknown codes."""
    tables = tomllib.loads((files(__package__) / _LOCALE / f"{language}.toml").read_text("utf-8"))
    loose = {code: text for code, text in tables.items() if isinstance(text, str)}
    sections = {name: table for name, table in tables.items() if isinstance(table, dict)}
    if language == DEFAULT_LANGUAGE:
        chain = {f"chain-{number}": row["words"] for number, row in contract_errors().items()}
        sections[_CHAIN] = {**chain, **sections[_CHAIN]}
    return {"": loose, **sections}


@cache
def _sentences(language: str) -> Mapping[str, str]:
    return {code: text for table in catalogue(language).values() for code, text in table.items()}


def _known(language: str) -> str:
    """The language there is a file of; English for all others."""
    found = _LANGUAGE.match(language.lower())
    return found[0] if found and found[0] in languages() else DEFAULT_LANGUAGE


def words(code: str, language: str = DEFAULT_LANGUAGE) -> str:
    """What a person is told about a code: whose fault it is, and what to do. "" for "" (nothing is wrong).

    `language` is a tag such as "en" or "sw-KE". A sentence that a language lacks is said in English; a code without any
    sentence gets a general one that names it.
    """
    if not code:
        return ""
    for sentences in (_sentences(_known(language)), _sentences(DEFAULT_LANGUAGE)):
        if code in sentences and code != _UNKNOWN:
            return sentences[code]
    general = _sentences(_known(language)).get(_UNKNOWN) or _sentences(DEFAULT_LANGUAGE)[_UNKNOWN]
    return f"{general} ({code})"
