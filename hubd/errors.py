"""The error family: whose fault it is, and what to do next.

- `RemoteError`: bytes from outside break the protocol. Drop them, count them under `code`, go on.
- `LocalError`: this program broke its own rules. A bug: let it rise to the supervisor.
- `FatalError`: a person must act before the program can go on. Always carries a `hint` that says how.

Codes are stable kebab-case words; every code has a sentence for people in `hubd/messages.py`.
"""


class HubdError(Exception):
    """The root of the family.

    `code` is stable and machine-readable, `detail` is for engineers and logs (never personal), `hint` says what to do.
    """

    def __init__(self, code: str, detail: str = "", hint: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail
        self.hint = hint


class RemoteError(HubdError):
    """Somebody else's bytes or answers are wrong. Nothing of ours is at risk."""


class LocalError(HubdError):
    """We are wrong: a broken invariant of our own."""


class FatalError(HubdError):
    """The program cannot go on until a person does what `hint` says."""

    def __init__(self, code: str, detail: str, *, hint: str) -> None:
        super().__init__(code, detail, hint)
