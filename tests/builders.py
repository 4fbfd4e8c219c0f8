"""A village for tests: deterministic keys, a charter, and one method for each kind that seals an action of it.

    village = Village(seed=1)
    book = village.book("ana", "tomas", price=60)
    assert fold(village.charter, [village.register("ana"), book])

People, hubs and stewards are names; the key of a name follows from the seed. Time stands still but for `created`, which
counts up. Nothing here uses chance: the same calls make the same bytes.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

from hubd.action.charter import Charter
from hubd.action.clarity import Buff, TupleCV, UInt, encode
from hubd.action.content import is_anchored, seal_content
from hubd.action.envelope import Action, seal
from hubd.action.kinds import LOCKS, MINUTES_MASK
from hubd.action.network import TESTNET, Network
from hubd.action.principal import Principal, contract
from hubd.action.signature import Signer
from hubd.action.sip018 import NO_ID, ActionId, Domain
from hubd.action.statement import Statement
from hubd.limits import STATEMENT_LIFE_S

EPOCH_S = 1_767_225_600  # 2026-01-01, when every village begins
START_S = EPOCH_S + 7 * 86_400  # when lessons start unless said otherwise
STUDENT, TUTOR = 1, 2


def opening_digest(opening: Statement) -> bytes:
    """What a rating-seal must carry for this rating-open (docs/protocol.md, "Kinds")."""
    fields = {
        "amount": UInt(opening.amount),
        "bits": UInt(opening.bits),
        "content": Buff(opening.content),
        "subject": Buff(opening.subject),
    }
    return hashlib.sha256(encode(TupleCV(fields))).digest()


@dataclass(frozen=True)
class Thread:
    """Everything that two people sign for one lesson, in the order in which they sign it."""

    book: Action
    confirm: Action
    attends: tuple[Action, Action]  # student's, tutor's
    complete: Action
    seals: tuple[Action, Action]
    opens: tuple[Action, Action]

    @property
    def actions(self) -> list[Action]:
        return [self.book, self.confirm, *self.attends, self.complete, *self.seals, *self.opens]

    @property
    def chained(self) -> list[Action]:
        """Those that settle the lesson on the chain."""
        return [self.book, self.confirm, *self.attends, self.complete]


class Village:
    """Names become keys; each method returns one sealed action. Extra fields go straight into the statement."""

    def __init__(self, seed: int = 0, network: Network = TESTNET) -> None:
        self.seed = seed
        self.network = network
        self._signers: dict[str, Signer] = {}
        self._count = 0
        deployer = self.principal("deployer")
        self.domain = Domain(network, contract(deployer, "access"))
        self.hours = contract(deployer, "hour-credit")
        self.stewards = ("steward-1", "steward-2", "steward-3")
        self.charter = Charter(
            name=f"Village {seed}",
            network=network,
            anchor=self.domain.mesh,
            money="hours",
            stewards=tuple(self.principal(name) for name in self.stewards),
            officers=(self.principal("officer-1"), self.principal("officer-2")),
            assets=(("hours", self.hours),),
            subjects=("reading", "mathematics"),
        )

    # --- keys and sealing

    def signer(self, name: str) -> Signer:
        if name not in self._signers:
            self._signers[name] = Signer(hashlib.sha256(f"village {self.seed} {name}".encode()).digest())
        return self._signers[name]

    def principal(self, name: str | bytes) -> Principal:
        """The principal of a name; a principal stays what it is."""
        return Principal(name) if isinstance(name, bytes) else self.signer(name).principal(self.network)

    def seal(self, author: str, kind: str, *, text: dict[str, Any] | bytes | None = None, **fields: Any) -> Action:
        """An action of any kind. `text` is its content; anchored kinds get an empty map unless told otherwise."""
        self._count += 1
        salt = hashlib.sha256(f"salt {self.seed} {author} {kind} {self._count}".encode()).digest()
        if text is None and is_anchored(kind):
            text = {}
        content = seal_content(text, salt[16:]) if isinstance(text, dict) else text
        fields["who"] = None if fields.get("who") is None else self.principal(fields["who"])
        fields["subject"] = _id(fields.get("subject"))
        statement = Statement(
            **{
                "action": kind,
                "author": self.principal(author),
                "created": EPOCH_S + self._count,
                "expires": EPOCH_S + STATEMENT_LIFE_S,
                "salt": salt[:8],
                **fields,
            }
        )
        return seal(statement, self.signer(author), self.domain, content)

    # --- mesh

    def announce(
        self, hub: str, *, previous: Action | None = None, text: dict[str, Any] | None = None, **changes: Any
    ) -> Action:
        """A hub-announce. `changes` alter its content (curve, box, addresses, name, uplink); `text` replaces it."""
        content = {
            "curve": hashlib.sha256(f"curve {hub}".encode()).digest(),
            "box": hashlib.sha256(f"box {hub}".encode()).digest(),
            "addresses": ["tcp://192.0.2.1:7463"],
            "name": hub,
            "uplink": False,
        }
        return self.seal(hub, "hub-announce", subject=previous, text={**content, **changes} if text is None else text)

    def admit(self, steward: str, announce: Action, operator: int = 1, **fields: Any) -> Action:
        fields = {"who": announce.statement.author, "bits": operator, **fields}
        return self.seal(steward, "hub-admit", subject=announce, **fields)

    def retire(self, steward: str, admit: Action, **fields: Any) -> Action:
        return self.seal(steward, "hub-retire", subject=admit, **{"who": admit.statement.who, **fields})

    def found(self, hub: str, operator: int = 1, *, uplink: bool = False, **changes: Any) -> list[Action]:
        """A hub's announce and its admission by the first steward."""
        announce = self.announce(hub, uplink=uplink, **changes)
        return [announce, self.admit(self.stewards[0], announce, operator)]

    def steward_add(self, steward: str, who: str) -> Action:
        return self.seal(steward, "steward-add", who=who)

    def steward_remove(self, steward: str, who: str) -> Action:
        return self.seal(steward, "steward-remove", who=who)

    def receipt(
        self,
        hub: str,
        items: list[tuple[Action | bytes, int]],
        *,
        txid: bytes = b"\x01" * 32,
        level: int = 0,
        burn_height: int = 900,
        height: int = 100,
        block_time: int = START_S,
        text: dict[str, Any] | None = None,
    ) -> Action:
        content = {
            "block": hashlib.sha256(f"block {height}".encode()).digest(),
            "height": height,
            "index": 0,
            "items": [[bytes(_id(item)), code] for item, code in items],
        }
        return self.seal(
            hub,
            "relay-receipt",
            subject=txid,
            amount=burn_height,
            moment=block_time,
            bits=level,
            text=content if text is None else text,
        )

    def balance(
        self,
        hub: str,
        rows: list[tuple[str | bytes, Principal | None, int, int]],
        *,
        height: int = 100,
        burn_height: int = 900,
        text: dict[str, Any] | None = None,
    ) -> Action:
        """A relay-balance; rows are (person, asset, free, locked)."""
        balances = [[bytes(self.principal(person)), asset, free, locked] for person, asset, free, locked in rows]
        content = {"height": height, "balances": balances}
        return self.seal(hub, "relay-balance", amount=burn_height, text=content if text is None else text)

    # --- identity

    def register(self, person: str, roles: int = STUDENT | TUTOR, home: str | None = None, **fields: Any) -> Action:
        return self.seal(person, "user-register", bits=roles, who=home, **fields)

    def key_add(self, author: str, key: str, subject: Action, scopes: int = 63, **fields: Any) -> Action:
        return self.seal(author, "key-add", who=key, subject=subject, bits=scopes, **fields)

    def key_accept(self, key: str, add: Action) -> Action:
        return self.seal(key, "key-accept", subject=add)

    def key_revoke(self, author: str, key: str, added: Action) -> Action:
        return self.seal(author, "key-revoke", who=key, subject=added)

    def guardian_set(
        self, author: str, guardian: str | None, previous: Action | None = None, slot: int = 0, **fields: Any
    ) -> Action:
        fields = {"amount": 1, **fields}
        return self.seal(author, "guardian-set", who=guardian, subject=previous, bits=slot, **fields)

    def recovery_open(self, key: str, person: str) -> Action:
        return self.seal(key, "recovery-open", who=person)

    def recovery(self, step: str, author: str, opening: Action, **fields: Any) -> Action:
        """`step` is approve, cancel or finish."""
        return self.seal(author, f"recovery-{step}", subject=opening, **{"who": opening.statement.who, **fields})

    def void(self, author: str, action: Action) -> Action:
        return self.seal(author, "action-void", subject=action)

    def vouch(self, author: str, who: str, how: int = 1) -> Action:
        return self.seal(author, "vouch-give", who=who, bits=how)

    def vouch_withdraw(self, author: str, vouch: Action) -> Action:
        return self.seal(author, "vouch-withdraw", who=vouch.statement.who, subject=vouch)

    # --- market

    def offer(self, tutor: str, rate: int = 60, previous: Action | None = None, **fields: Any) -> Action:
        fields = {"asset": self.hours, "moment": 0b11, "bits": 0b1, **fields}
        return self.seal(tutor, "offer-set", amount=rate, subject=previous, **fields)

    def offer_withdraw(self, tutor: str, offer: Action) -> Action:
        return self.seal(tutor, "offer-withdraw", subject=offer)

    def request(self, student: str, ceiling: int = 90, **fields: Any) -> Action:
        fields = {"asset": self.hours, "moment": 0b1, "bits": 0b1, **fields}
        return self.seal(student, "request-open", amount=ceiling, **fields)

    def request_close(self, student: str, request: Action) -> Action:
        return self.seal(student, "request-close", subject=request)

    def match_offer(self, tutor: str, request: Action, price: int = 60, **fields: Any) -> Action:
        fields = {"who": request.statement.author, "moment": START_S, "bits": 60, "asset": self.hours, **fields}
        return self.seal(tutor, "match-offer", subject=request, amount=price, **fields)

    def match_accept(self, student: str, match: Action, **fields: Any) -> Action:
        terms = match.statement
        fields = {"amount": terms.amount, "asset": terms.asset, "moment": terms.moment, "bits": terms.bits, **fields}
        return self.seal(student, "match-accept", subject=match, **fields)

    # --- lesson

    def book(self, student: str, tutor: str, price: int = 60, minutes: int = 60, **fields: Any) -> Action:
        """A lesson-book that locks its price; `bits=...` says otherwise."""
        bits = (minutes & MINUTES_MASK) | (LOCKS if price else 0)
        fields = {"asset": self.hours if price else None, "moment": START_S, "bits": bits, **fields}
        return self.seal(student, "lesson-book", who=tutor, amount=price, **fields)

    def confirm(self, tutor: str, book: Action, **fields: Any) -> Action:
        terms = book.statement
        repeated = {"who": terms.author, "amount": terms.amount, "asset": terms.asset, "moment": terms.moment}
        return self.seal(tutor, "lesson-confirm", subject=book, **{**repeated, "bits": 1, **fields})

    def decline(self, tutor: str, book: Action, **fields: Any) -> Action:
        return self.seal(tutor, "lesson-decline", subject=book, **fields)

    def cancel(self, person: str, book: Action, **fields: Any) -> Action:
        return self.seal(person, "lesson-cancel", subject=book, **fields)

    def move(self, person: str, about: Action, start: int = START_S + 3_600, minutes: int = 0, **fields: Any) -> Action:
        """A proposal, or with the same start and minutes the agreement to one."""
        return self.seal(person, "lesson-move", subject=about, moment=start, bits=minutes, **fields)

    def agree(self, person: str, move: Action, **fields: Any) -> Action:
        """The other side's agreement to a proposal."""
        return self.move(person, move, move.statement.moment, move.statement.bits, **fields)

    def claim(self, author: str, book: Action) -> Action:
        return self.seal(author, "lesson-claim", subject=book)

    def class_open(self, tutor: str, pool: bytes | None = None, price: int = 0, **fields: Any) -> Action:
        fields = {"asset": self.hours if price else None, "moment": START_S, "bits": 60, **fields}
        return self.seal(tutor, "class-open", subject=pool, amount=price, **fields)

    def class_attend(self, person: str, opened: Action, **fields: Any) -> Action:
        """A learner's word, or with another `who` the tutor's."""
        fields = {"who": opened.statement.author, "moment": START_S, **fields}
        return self.seal(person, "class-attend", subject=opened, **fields)

    # --- disputes

    def dispute(self, person: str, book: Action, reason: int = 1, **fields: Any) -> Action:
        return self.seal(person, "dispute-open", subject=book, bits=reason, **fields)

    def dispute_offer(self, person: str, subject: Action, points: int) -> Action:
        """`subject` is the lesson, or the own offer that this one replaces."""
        return self.seal(person, "dispute-offer", subject=subject, amount=points)

    def dispute_accept(self, person: str, offer: Action) -> Action:
        return self.seal(person, "dispute-accept", subject=offer)

    def dispute_vote(self, person: str, book: Action, points: int) -> Action:
        return self.seal(person, "dispute-vote", subject=book, amount=points)

    def dispute_settle(self, author: str, book: Action) -> Action:
        return self.seal(author, "dispute-settle", subject=book)

    def attend(self, person: str, subject: Action, other: str, **fields: Any) -> Action:
        """`subject` is the lesson, or the other's attend that was scanned."""
        return self.seal(person, "lesson-attend", subject=subject, who=other, **{"moment": START_S, **fields})

    def complete(self, student: str, book: Action, **fields: Any) -> Action:
        return self.seal(student, "lesson-complete", subject=book, **fields)

    # --- money, reputation

    def lock(
        self, person: str, sum_: int, bits: int = 0, subject: Action | bytes | None = None, **fields: Any
    ) -> Action:
        """An escrow-lock: bits 0 for a lesson, 1 for a pool, 2 an earmark."""
        fields = {"asset": self.hours, **fields}
        return self.seal(person, "escrow-lock", amount=sum_, bits=bits, subject=subject, **fields)

    def earmark(self, student: str, tutor: str, sum_: int = 100, **fields: Any) -> Action:
        return self.lock(student, sum_, 2, who=tutor, **{"moment": START_S + 86_400, **fields})

    def give_back(self, author: str, earmark: Action) -> Action:
        return self.seal(author, "escrow-return", subject=earmark)

    def withdraw(self, person: str, sum_: int, **fields: Any) -> Action:
        return self.seal(person, "escrow-withdraw", amount=sum_, **{"asset": self.hours, **fields})

    def rating_open(self, rater: str, book: Action, other: str, stars: int = 5, tags: int = 0, **fields: Any) -> Action:
        return self.seal(rater, "rating-open", subject=book, who=other, amount=stars, bits=tags, **fields)

    def rating_seal(self, rater: str, opening: Action, **fields: Any) -> Action:
        """The seal of an opening: made first on a phone, made second here."""
        opened = opening.statement
        fields = {"subject": opened.subject, "who": opened.who, "content": opening_digest(opened), **fields}
        return self.seal(rater, "rating-seal", **fields)

    def thread(self, student: str, tutor: str, price: int = 60, stars: tuple[int, int] = (5, 4)) -> Thread:
        """A whole lesson between two people: the tutor scans the student's attend; both rate."""
        book = self.book(student, tutor, price)
        attend = self.attend(student, book, tutor)
        opens = (self.rating_open(student, book, tutor, stars[0]), self.rating_open(tutor, book, student, stars[1]))
        return Thread(
            book=book,
            confirm=self.confirm(tutor, book),
            attends=(attend, self.attend(tutor, attend, student)),
            complete=self.complete(student, book),
            seals=(self.rating_seal(student, opens[0]), self.rating_seal(tutor, opens[1])),
            opens=opens,
        )


def erased(action: Action) -> Action:
    """The action as a hub keeps it after its content was erased."""
    return action._replace(content=None)


def _id(subject: Action | bytes | None) -> ActionId:
    if isinstance(subject, Action):
        return subject.id
    return NO_ID if subject is None else ActionId(subject)
