"""A language that nobody speaks: the English catalogue in wide letters. What is still in plain letters by-passed it."""

import re
from contextlib import contextmanager

from hubd import messages

LANGUAGE = "qps"
_WIDE = {code: code - ord("!") + 0xFF01 for code in (*range(ord("A"), ord("Z") + 1), *range(ord("a"), ord("z") + 1))}
_PLACE = re.compile(r"(\{\w+\}|%[A-Za-z])")  # and the parts of a time


def wide(found):
    """A text in wide letters, its places as they are; the same for all forms of it."""
    if isinstance(found, str):
        return "".join(part if _PLACE.fullmatch(part) else part.translate(_WIDE) for part in _PLACE.split(found))
    return {counted: {form: wide(text) for form, text in forms.items()} for counted, forms in found.items()}


@contextmanager
def spoken(monkeypatch):
    """While this holds, everything is said in wide letters."""
    sentences, phrases, english = messages._sentences, messages.phrases, messages.DEFAULT_LANGUAGE

    def wide_phrases(language, subject):
        found = phrases(english, subject)
        is_said = language == LANGUAGE and subject != "plurals"
        return {name: wide(text) for name, text in found.items()} if is_said else found

    def wide_sentences(language):
        found = sentences(english)
        return {code: wide(text) for code, text in found.items()} if language == LANGUAGE else found

    with monkeypatch.context() as patch:
        patch.setattr(messages, "languages", lambda: frozenset((english, LANGUAGE)))
        patch.setattr(messages, "phrases", wide_phrases)
        patch.setattr(messages, "_sentences", wide_sentences)
        for name in ("LC_ALL", "LC_MESSAGES"):
            patch.delenv(name, raising=False)
        patch.setenv("LANG", LANGUAGE)
        messages.speak("")
        yield


def plain_words(text, values):
    """The words of a text in plain letters, without those of the values that it shows."""
    shown = {word for value in values for word in re.findall(r"[A-Za-z]{2,}", str(value))}
    return sorted(set(re.findall(r"[A-Za-z]{2,}", text)) - shown)
