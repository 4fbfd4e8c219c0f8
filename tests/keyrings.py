"""A person and her keys, for tests of whom a key speaks for."""

from builders import Village

from hubd.fold.folder import fold
from hubd.fold.keys import SCOPES_ALL


class Ana:
    """A person with a first key, and what it takes to give her more."""

    def __init__(self) -> None:
        self.village = Village(5)
        self.born = self.village.register("ana")
        self.actions = [self.born]

    def add(self, key: str, *, by: str = "ana", to=None, scopes: int = SCOPES_ALL, accepted: bool = True, **fields):
        add = self.village.key_add(by, key, to or self.born, scopes, **fields)
        self.actions += [add, self.village.key_accept(key, add)] if accepted else [add]
        return add

    def revoke(self, key: str, *, by: str, added=None):
        self.actions.append(self.village.key_revoke(by, key, added or self.born))
        return self.actions[-1]

    def do(self, *actions):
        self.actions += actions
        return self

    def views(self):
        return fold(self.village.charter, self.actions)

    def live(self) -> set[str]:
        keys = self.views().persons[self.village.principal("ana")].keys
        return {name for name in ("ana", "phone", "tablet", "thief") if self.village.principal(name) in keys}
