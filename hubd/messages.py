"""All that people are told: one language after the other in `hubd/locale`, English where a language is silent.

Sentences go by code, and stand in LANGUAGE.toml; docs/errors.md is made of it. Codes are the ones of `hubd/errors.py`, the
reasons of deferring, and two families with a prefix: `void-REASON` for actions without effect and `chain-NUMBER` for what a
contract answered. The English of the latter is the contracts' own table, `contracts/errors.json`, which an installed hub
carries with it.

Phrases are what commands and receipts say besides: "status.set" is `set` in LANGUAGE/status.toml. One subject is read when
something of it is said, so that a hub that says nothing keeps none of it in memory.
"""

import json
import os
import re
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from contextvars import ContextVar
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any
from unicodedata import category

from hubd import plurals

DEFAULT_LANGUAGE = "en"
_LOCALE = "locale"
_PLURALS = "plurals"
_TERMS = "terms"
_ENVIRONMENT = ("LC_ALL", "LC_MESSAGES", "LANG")  # the first that is set counts, as POSIX has it
_LANGUAGE = re.compile(r"[a-z]{2,3}(?=[-_.@]|\Z)")  # the first part of "sw", "sw-KE" or "sw_KE.UTF-8"
_UNKNOWN = "unknown"
_COMMANDS = frozenset(("Cc", "Cs", "Zl", "Zp"))  # categories of Unicode: control characters, line ends
_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # they turn round what follows
_CHAIN = "chain"

Catalogue = Mapping[str, Mapping[str, str]]


class Said(str):
    """A phrase that was said, and may stand in another one as it is."""

    __slots__ = ()


_spoken: ContextVar[str] = ContextVar("language", default="")


@cache
def languages() -> frozenset[str]:
    """The languages there is a file of."""
    folder = files(__package__) / _LOCALE
    return frozenset(file.name.removesuffix(".toml") for file in folder.iterdir() if file.name.endswith(".toml"))


def speak(language: str) -> None:
    """Say everything in this language from now on; "" for the one that the environment asks for."""
    _spoken.set(language)


def is_english() -> bool:
    """Whether English is spoken: what the code itself says, for logs and engineers, is said in it."""
    return _known("") == DEFAULT_LANGUAGE


def _of_environment() -> str:
    return next((tag for name in _ENVIRONMENT if (tag := os.environ.get(name))), DEFAULT_LANGUAGE)


def _known(language: str) -> str:
    """The language there is a file of; English for all others."""
    found = _LANGUAGE.match((language or _spoken.get() or _of_environment()).lower())
    return found[0] if found and found[0] in languages() else DEFAULT_LANGUAGE


# --- sentences by code


def contract_errors() -> Mapping[str, Mapping[str, Any]]:
    """The contracts' table of errors, by number: name, contract, retry, words."""
    shipped = files(__package__) / "contract-errors.json"
    table = shipped if shipped.is_file() else Path(__file__).parent.parent / "contracts" / "errors.json"
    found: dict[str, dict[str, Any]] = json.loads(table.read_text("utf-8"))
    return found


def _read(file: Traversable, language: str) -> dict[str, Any]:
    """A file's table. One that rotted is empty, but for English: without that nothing can be said at all."""
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except ValueError:
        if language == DEFAULT_LANGUAGE:
            raise
        return {}


@cache
def catalogue(language: str = DEFAULT_LANGUAGE) -> Catalogue:
    """The sentences of one language by section and code; the section "" holds what is said of unknown codes."""
    tables = _read(files(__package__) / _LOCALE / f"{language}.toml", language)
    loose = {code: text for code, text in tables.items() if isinstance(text, str)}
    sections = {name: table for name, table in tables.items() if isinstance(table, dict)}
    if language == DEFAULT_LANGUAGE:
        chain = {f"chain-{number}": row["words"] for number, row in contract_errors().items()}
        sections[_CHAIN] = {**chain, **sections[_CHAIN]}
    return {"": loose, **sections}


@cache
def _sentences(language: str) -> Mapping[str, str]:
    return {code: text for table in catalogue(language).values() for code, text in table.items()}


def words(code: str, language: str = "") -> str:
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


# --- phrases by subject and name


@cache
def phrases(language: str, subject: str) -> Mapping[str, Any]:
    """One subject's phrases in one language, by name: a text with {places}, or forms of it by a value that is counted.

    Forms are {"actions": {"one": ..., "other": ...}}: whoever reads takes the one that goes with the value `actions`. A form
    may have forms itself, by another value. None at all where the language has no such file.
    """
    file = files(__package__) / _LOCALE / language / f"{subject}.toml"
    return _read(file, language) if file.is_file() else {}


def subjects(language: str = DEFAULT_LANGUAGE) -> list[str]:
    """The subjects that a language has phrases for."""
    folder = files(__package__) / _LOCALE / language
    names = [file.name.removesuffix(".toml") for file in folder.iterdir()] if folder.is_dir() else []
    return sorted(set(names) - {_PLURALS})


def phrase(name: str, /, **values: object) -> str:
    """What is said as "subject.name", with these values at its places. What of a value is no text to show, shows as "?".

    A language whose file has gaps, or rotted, is silent, and never the reason that something is not done.
    """
    subject, _, short = name.partition(".")
    shown = {place: value if isinstance(value, Said) else plain(str(value)) for place, value in values.items()}
    if (language := _known("")) != DEFAULT_LANGUAGE:
        with suppress(ValueError, LookupError, AttributeError, TypeError):
            return _said(language, subject, short, shown)
    return _said(DEFAULT_LANGUAGE, subject, short, shown)


def _said(language: str, subject: str, short: str, values: Mapping[str, str]) -> "Said":
    found = phrases(language, subject)[short]
    while not isinstance(found, str):
        [(counted, forms)] = found.items()
        form = plurals.category(phrases(language, _PLURALS), int(values[counted]))
        found = forms[form] if form in forms else forms[plurals.OTHER]
    return Said(found.format_map(values))


def term(family: str, value: str) -> str:
    """The word for where something stands: `family-value` of the subject "terms". What is not there stays as it is."""
    name = f"{family}-{value.replace(' ', '-')}"
    return str(phrases(_known(""), _TERMS).get(name) or phrases(DEFAULT_LANGUAGE, _TERMS).get(name) or plain(value))


def tabled(subject: str, row: str, english: str) -> str:
    """What a language says for a row of a table of the code, whose own words are the English: `row` of the subject."""
    return str(phrases(_known(""), subject).get(row, english))


def plain(text: str) -> str:
    """A text as a terminal and a text file bear it: a name that a stranger chose commands neither.

    What joins and parts letters stays, as names of many languages can't be written without it.
    """
    return "".join("?" if category(each) in _COMMANDS or each in _TURNS else each for each in text)
