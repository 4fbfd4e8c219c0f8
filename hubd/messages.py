"""Sentences for people, by code: one TOML file a language in `hubd/locale`. docs/errors.md is made of it.

Codes are the ones of `hubd/errors.py`, the reasons of deferring, and two families with a prefix: `void-REASON` for actions
without effect and `chain-NUMBER` for what a contract answered.
"""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

DEFAULT_LANGUAGE = "en"
_LOCALE = "locale"
_LANGUAGE = re.compile(r"[a-z]{2,3}(?=[-_.@]|\Z)")  # the first part of "sw", "sw-KE" or "sw_KE.UTF-8"
_UNKNOWN = "unknown"

Catalogue = Mapping[str, Mapping[str, str]]


@cache
def languages() -> frozenset[str]:
    """The languages there is a file of."""
    folder = files(__package__) / _LOCALE
    return frozenset(file.name.removesuffix(".toml") for file in folder.iterdir() if file.name.endswith(".toml"))


@cache
def catalogue(language: str = DEFAULT_LANGUAGE) -> Catalogue:
    """The sentences of one language by section and code; the section "" holds what is said of unknown codes."""
    tables = tomllib.loads((files(__package__) / _LOCALE / f"{language}.toml").read_text("utf-8"))
    loose = {code: text for code, text in tables.items() if isinstance(text, str)}
    return {"": loose, **{name: table for name, table in tables.items() if isinstance(table, dict)}}


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
