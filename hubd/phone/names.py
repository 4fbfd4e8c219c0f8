"""What people are called. A name leaves this phone sealed only, under the key that the village's registered phones hold.

The set never holds a name in the clear: whoever copies a hub's card learns ids. A phone without the village's key shows
addresses, and the names its owner gave to them.
"""

import nacl.exceptions
import nacl.secret

from hubd.action.content import read_content
from hubd.action.envelope import Action
from hubd.action.principal import Principal
from hubd.errors import RemoteError

NAME_CHARS_MAX = 40  # of a display name: fits a 320 px wide card


class Names:
    """The names this phone knows, by principal. `village_key` is 32 bytes, or None where this phone has none."""

    def __init__(self, village_key: bytes | None) -> None:
        self._box = nacl.secret.SecretBox(village_key) if village_key else None
        self.by_person: dict[Principal, str] = {}
        self._given: dict[Principal, str] = {}

    def by_name(self) -> dict[str, Principal]:
        """People by name in lower case; a name that two people bear means neither."""
        found: dict[str, Principal] = {}
        twice: set[str] = set()
        for principal, name in self.by_person.items():
            key = name.lower()
            if key in found:
                twice.add(key)
            found[key] = principal
        return {name: principal for name, principal in found.items() if name not in twice}

    def give(self, principal: Principal, name: str) -> None:
        """The owner's own name for somebody; stands before what the person says."""
        self._given[principal] = name
        self.by_person[principal] = name

    def learn(self, registration: Action) -> None:
        """The name in a registration's content, where it can be opened."""
        person = registration.statement.author
        if self._box is None or person in self._given or registration.content is None:
            return
        try:
            sealed = read_content(registration.content, registration.kind).get("name")
            name = self._box.decrypt(sealed).decode("utf-8") if isinstance(sealed, bytes) else ""
        except (RemoteError, nacl.exceptions.CryptoError, ValueError):
            return
        if 0 < len(name) <= NAME_CHARS_MAX and name.isprintable():
            self.by_person[person] = name

    def seal(self, name: str) -> bytes | None:
        """The name for a registration's content; None without the village's key."""
        return bytes(self._box.encrypt(name.encode("utf-8"))) if self._box else None
