"""The story: students and tutors who share no hub, from registering to being paid. What a phone does is offline first."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from hubd.action.principal import address
from hubd.demo.processes import HubProcess
from hubd.demo.village import Say, Village
from hubd.errors import FatalError, RemoteError
from hubd.messages import phrase
from hubd.phone.phone import Phone
from hubd.relay import wallet as wallets
from hubd.relay.tx import Token

STUDENTS = ("Amina", "Baraka", "Chausiku", "Daudi", "Eshe", "Farida", "Gathoni", "Hamisi")
TUTORS = ("Juma", "Kamau", "Lulu", "Makena", "Neema", "Omari", "Pendo", "Rehema")
HOURS_PRICE, STX_PRICE = 100, 2_000_000  # one hour (two decimals); two STX
DEPOSIT_FACTOR = 3
A_DAY_S = 86_400
MINUTES = 60
PATIENCE_S = 90.0
_POLL_S = 0.15
FINAL = 2
ENDS = ("completed", "cancelled")


@dataclass
class Pair:
    """A student at the first hub, a tutor at the second, and their lesson."""

    student_name: str
    tutor_name: str
    asset: str
    price: int
    student: Phone
    tutor: Phone
    lesson: str = ""
    cancelled: str = ""  # a second lesson, of the first pair only
    paid_before: int = 0


@dataclass
class Tale:
    """What happened, for the report: each lesson's states with the seconds since the start."""

    started: float = field(default_factory=time.monotonic)
    states: dict[str, dict[str, float]] = field(default_factory=dict)
    lessons: dict[str, dict[str, Any]] = field(default_factory=dict)

    def note(self, lesson: dict[str, Any]) -> None:
        """Remember when a state was first seen at the first hub."""
        self.lessons[lesson["id"]] = lesson
        seen = self.states.setdefault(lesson["id"], {})
        now = round(time.monotonic() - self.started, 1)
        seen.setdefault(lesson["state"], now)
        if lesson["settled"]:
            seen.setdefault("settled", now)
        if lesson["settled"] and lesson["level"] == FINAL:
            seen.setdefault("final", now)


def name_of(names: tuple[str, ...], position: int) -> str:
    """A name of the list, with a number after the first round."""
    turn, at = divmod(position, len(names))
    return names[at] if not turn else f"{names[at]} {turn + 1}"


class Story:
    """Tells itself step by step. `at` is called with each step's name before it begins: tests cut power there."""

    def __init__(
        self, village: Village, pairs: int, say: Say, at: Callable[[str], Awaitable[None]] | None = None
    ) -> None:
        self.village = village
        self.tale = Tale()
        self.pairs: list[Pair] = []
        self._count = pairs
        self._say = say
        self._at = at

    async def tell(self) -> None:
        """All of it. Raises `FatalError` when the story stops moving."""
        watching = asyncio.create_task(self._watch(), name="watch")
        try:
            for step in (
                self._register, self._deposit, self._ask, self._match, self._book, self._confirm, self._meet, self._heal,
                self._rate, self._settle, self._withdraw, self._converge,
            ):  # fmt: skip
                if self._at is not None:
                    await self._at(step.__name__.removeprefix("_"))
                await step()
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    # --- the steps

    async def _register(self) -> None:
        village = self.village
        self._say(phrase("demo.register", people=2 * self._count))
        for position in range(self._count):
            student_name, tutor_name = name_of(STUDENTS, position), name_of(TUTORS, position)
            student, tutor = await village.new_phone(student_name), await village.new_phone(tutor_name)
            asset, price = ("stx", STX_PRICE) if position == self._count - 1 else ("hours", HOURS_PRICE)
            self.pairs.append(Pair(student_name, tutor_name, asset, price, student, tutor))
            await student.register(student_name, 1)
            await tutor.register(tutor_name, 2)
            await student.know(tutor_name, address(tutor.principal))
            await tutor.know(student_name, address(student.principal))
        self._say(phrase("demo.sync", first=self._first.name, second=self._second.name))
        await self._sync_everybody()
        for pair in self.pairs:
            for hub, person in ((self._first, pair.student), (self._second, pair.tutor)):
                await self._until("a steward vouched", self._vouched(hub, person))
        await self._until("every hub knows everybody", self._everybody_known)

    async def _deposit(self) -> None:
        village = self.village
        self._say(phrase("demo.deposit"))
        escrow, hours = village.charter.contract("payment-escrow"), village.charter.contract("hour-credit")
        total = sum(pair.price * DEPOSIT_FACTOR for pair in self.pairs if pair.asset == "hours")
        orders = [wallets.mint(hours, village.charter.deployer, total)] if total else []
        for pair in self.pairs:
            token = None if pair.asset == "stx" else Token(hours, "hour-credit")
            orders.append(wallets.deposit_for(escrow, pair.student.principal, pair.price * DEPOSIT_FACTOR, token))
            held = await village.balance(pair.tutor.principal, village.charter.asset(pair.asset))
            pair.paid_before = held.free + held.wallet
        await village.pay(*orders)
        self._say(phrase("demo.news"))
        await self._until("students see their money", self._for_each(self._has_money))

    async def _ask(self) -> None:
        self._say(phrase("demo.ask"))
        for pair in self.pairs:
            await pair.student.do("request-open", subjects="mathematics", ceiling=str(pair.price), asset=pair.asset)
            await pair.tutor.do("offer-set", subjects="mathematics", rate=str(pair.price), asset=pair.asset)
        await self._sync_everybody()

    async def _match(self) -> None:
        self._say(phrase("demo.match"))
        for pair in self.pairs:
            request = await self._find(pair.tutor, "requests", student=pair.student_name)
            start = str(int(time.time()) + 60)
            await pair.tutor.do(
                "match-offer", request=request["id"], price=str(pair.price), start=start, minutes=str(MINUTES)
            )
        await self._sync_everybody()

    async def _book(self) -> None:
        self._say(phrase("demo.book"))
        for pair in self.pairs:
            match = await self._find(pair.student, "matches", tutor=pair.tutor_name)
            booked = await pair.student.do("lesson-book", match=match["id"])
            pair.lesson = booked.id.hex()
        first = self.pairs[0]
        self._say(phrase("demo.again"))
        terms = {"tutor": first.tutor_name, "price": str(first.price), "asset": first.asset, "minutes": str(MINUTES)}
        again = await first.student.do("lesson-book", start=str(int(time.time()) + A_DAY_S), **terms)
        first.cancelled = again.id.hex()
        await self._sync_everybody()

    async def _confirm(self) -> None:
        self._say(phrase("demo.confirm"))
        for pair in self.pairs:
            for lesson in filter(None, (pair.lesson, pair.cancelled)):
                await self._find(pair.tutor, "lessons", id=lesson)
                await pair.tutor.do("lesson-confirm", lesson=lesson)
        await self._sync_everybody()
        await self._until("students see the confirmation", self._for_each(self._is_confirmed))

    async def _meet(self) -> None:
        if self.village.wires:
            self.village.wires[0].cut()
            self._say(phrase("demo.cut", first=self._first.name, second=self._second.name))
        for pair in self.pairs:
            await pair.student.do("lesson-attend", lesson=pair.lesson)
            await pair.tutor.do("lesson-attend", lesson=pair.lesson)
            await pair.student.do("lesson-complete", lesson=pair.lesson)
            await pair.student.do("rating-seal", lesson=pair.lesson, stars="5")
            await pair.tutor.do("rating-seal", lesson=pair.lesson, stars="4")
        first = self.pairs[0]
        self._say(phrase("demo.cancel"))
        await first.tutor.do("lesson-cancel", lesson=first.cancelled)
        await self._sync_everybody()

    async def _heal(self) -> None:
        if self.village.wires:
            await self._until("both hubs answer", self._compare)
            self.village.wires[0].mend()
        await self._until("the hubs are in step again", self._all_ended)

    async def _rate(self) -> None:
        self._say(phrase("demo.rate"))
        for pair in self.pairs:
            for phone in (pair.student, pair.tutor):
                await self._find(phone, "lessons", id=pair.lesson, sealed=[True, True])
                await phone.do("rating-open", lesson=pair.lesson)
        await self._sync_everybody()

    async def _settle(self) -> None:
        self._say(phrase("demo.settle"))
        await self._until("every lesson is settled and final", self._all_final)

    async def _withdraw(self) -> None:
        paid = [pair for pair in self.pairs if pair.asset == "stx"]
        for pair in paid:
            await pair.tutor.do("escrow-withdraw", sum=str(pair.price), asset="stx")
            await self._sync(pair.tutor, self._tutors_url)
        if paid:
            self._say(phrase("demo.withdraw"))
            await self._until("the withdrawal arrives", self._is_withdrawn)

    async def _converge(self) -> None:
        await self._until("nothing is on its way any more", self._is_quiet)
        await self._until("all hubs show the same", self._is_converged)
        await self._sync_everybody()

    # --- what is waited for

    @property
    def _first(self) -> HubProcess:
        return self.village.hubs[0]

    @property
    def _second(self) -> HubProcess:
        return self.village.hubs[min(1, len(self.village.hubs) - 1)]

    @property
    def _students_url(self) -> str:
        return self.village.phone_urls[0]

    @property
    def _tutors_url(self) -> str:
        return self.village.phone_urls[min(1, len(self.village.phone_urls) - 1)]

    async def _until(self, what: str, is_so: Callable[[], Awaitable[bool]]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            try:
                if await is_so():
                    return
            except FatalError as error:  # a hub that was killed is on its way back
                if error.code != "not-running":
                    raise
            await asyncio.sleep(_POLL_S)
        raise FatalError(
            "demo-stuck",
            f"waited {PATIENCE_S:.0f} s in vain until {what}",
            hint=f"the logs are in {self.village.folder}",
        )

    def _for_each(self, is_so: Callable[[Pair], Awaitable[bool]]) -> Callable[[], Awaitable[bool]]:
        async def all_of_them() -> bool:
            return all([await is_so(pair) for pair in self.pairs])

        return all_of_them

    async def _sync(self, phone: Phone, url: str) -> None:
        """Sync; a hub that does not answer now is tried again by whoever waits for something."""
        try:
            await phone.sync(url)
        except RemoteError as error:
            self._say(phrase("demo.later", code=error.code))

    async def _sync_everybody(self) -> None:
        for pair in self.pairs:
            await self._sync(pair.student, self._students_url)
            await self._sync(pair.tutor, self._tutors_url)

    async def _find(self, phone: Phone, listing: str, **wanted: Any) -> dict[str, Any]:
        """The entry of a phone's screen with these values, syncing until it is there."""
        found: list[dict[str, Any]] = []

        async def is_there() -> bool:
            entries = (await phone.show())[listing]
            found[:] = [entry for entry in entries if all(entry[key] == value for key, value in wanted.items())]
            if not found:
                await self._sync_everybody()  # what it waits for may still be on the other one's phone
            return bool(found)

        await self._until(f"a phone shows it among its {listing}", is_there)
        return found[0]

    def _vouched(self, hub: HubProcess, phone: Phone) -> Callable[[], Awaitable[bool]]:
        async def is_so() -> bool:
            await self.village.vouch(hub, phone.principal)
            return True

        return is_so

    async def _compare(self) -> bool:
        here, there = [(await hub.status())["count"] for hub in (self._first, self._second)]
        self._say(phrase("demo.mend", first=self._first.name, here=here, second=self._second.name, there=there))
        return True

    async def _everybody_known(self) -> bool:
        await self._sync_everybody()
        return all([(await hub.status())["persons"] >= 2 * self._count for hub in self.village.hubs])

    async def _has_money(self, pair: Pair) -> bool:
        await self._sync(pair.student, self._students_url)
        balances = (await pair.student.show())["balances"]
        return any(entry["asset"] == pair.asset and entry["free"] >= pair.price for entry in balances)

    async def _is_confirmed(self, pair: Pair) -> bool:
        await self._sync(pair.tutor, self._tutors_url)  # whose word may still be on the phone, where the hub was down
        await self._sync(pair.student, self._students_url)
        lessons = (await pair.student.show())["lessons"]
        return any(entry["id"] == pair.lesson and entry["state"] == "confirmed" for entry in lessons)

    async def _all_ended(self) -> bool:
        await self._sync_everybody()  # a phone keeps what a hub could not take, and brings it again
        for hub in self.village.hubs:
            if any(lesson["state"] not in ENDS for lesson in await hub.ask("lessons")):
                return False
        return True

    async def _all_final(self) -> bool:
        await self._sync_everybody()
        for hub in self.village.hubs:
            lessons = await hub.ask("lessons")
            rated = all(all(entry["rated"]) for entry in lessons if entry["state"] == "completed")
            if not rated or not all(entry["settled"] and entry["level"] == FINAL for entry in lessons):
                return False
        return True

    async def _is_withdrawn(self) -> bool:
        for pair in self.pairs:
            if pair.asset == "stx":
                await self._sync(pair.tutor, self._tutors_url)
                if (await self.village.balance(pair.tutor.principal, None)).wallet < pair.price:
                    return False
        return True

    async def _is_quiet(self) -> bool:
        relay = (await self.village.hubs[-1].status())["relay"]
        return not any(relay[name] for name in ("waiting", "transactions_open", "transactions_watched"))

    async def _is_converged(self) -> bool:
        first = await self._digests()
        await asyncio.sleep(1.0)
        return len(set(first)) == 1 and first == await self._digests()

    async def _digests(self) -> list[tuple[int, str, str]]:
        facts = [await hub.status() for hub in self.village.hubs]
        return [(fact["count"], fact["fingerprint"], fact["views"]) for fact in facts]

    async def _watch(self) -> None:
        while True:
            try:
                for lesson in await self._first.ask("lessons"):
                    self.tale.note(lesson)
            except FatalError:
                pass
            await asyncio.sleep(_POLL_S)
