"""The fold and the contracts agree: every way for a lesson to end, money set aside, keys and recoveries, on the real VM.

Each thread is offered to the relay backwards. The chain does what the fold says, the fold calls nothing void that the chain
does, and the vault holds what the payments say.
"""

from contextlib import asynccontextmanager

from builders import START_S
from uplinks import advance, made_village, opened, pay_in

from hubd.action.kinds import DRAWS_ON_EARMARK, NEEDS_GUARDIAN
from hubd.fold.views import LessonState, Payment, RecoveryState
from hubd.relay.node import Node
from hubd.relay.wallet import sums

DAY_S = 86_400


class Stage:
    """An uplink with a village whose names are this test's own: the chain is shared, its persons are not."""

    def __init__(self, uplink, url, tag):
        self.uplink, self.v, self.url, self._tag = uplink, uplink.village, url, tag

    def who(self, name):
        return f"{name} of {self._tag}"

    async def settle(self, *actions, refused=()):
        """Offer them backwards, and wait until the chain did all but those it refuses."""
        await self.uplink.offer(list(reversed(actions)))
        done = [action for action in actions if action not in refused]
        await self.uplink.turn_until(
            lambda: (
                self.uplink.is_done(done)
                and all(
                    (known := self.views.settlement.get(each.id)) is not None and known.is_refused for each in refused
                )
            )
        )
        assert not [action.kind for action in actions if action.id in self.views.void]

    @property
    def views(self):
        return self.uplink.views

    def lesson(self, book):
        entry = self.views.lessons[book.id]
        return entry.state, entry.payment, entry.settled

    async def vault(self, name):
        async with Node([self.url]) as node:
            escrow = self.v.charter.contract("payment-escrow")
            found = await sums(node, escrow, self.v.principal(self.who(name)), self.v.hours)
        return found.free, found.locked


@asynccontextmanager
async def staged(chain, path, tag, *, hours=0):
    """Ana and Tomas are registered, and Ana has some hours in the vault."""
    village = made_village()
    if hours:
        await pay_in(village, chain, f"ana of {tag}", hours, 1)
    async with opened(path, village, chain) as uplink:
        await uplink.relay.start()
        stage = Stage(uplink, chain, tag)
        await stage.settle(*(village.register(stage.who(name)) for name in ("ana", "tomas", "bibi")))
        yield stage


async def test_a_moved_lesson_is_confirmed_at_its_new_time_and_cancelled_for_its_whole_price(chain, tmp_path):
    async with staged(chain, tmp_path, "moves", hours=100) as stage:
        v, ana, tomas = stage.v, stage.who("ana"), stage.who("tomas")
        book = v.book(ana, tomas, 60)
        move = v.move(tomas, book, START_S + 7_200, 45)
        confirm = v.confirm(tomas, book, moment=START_S + 7_200)
        await stage.settle(book, move, v.agree(ana, move), confirm)
        entry = stage.views.lessons[book.id]
        assert (entry.start, entry.minutes, entry.version) == (START_S + 7_200, 45, move.id)
        assert (stage.lesson(book), await stage.vault("ana")) == (
            (LessonState.CONFIRMED, Payment.LOCKED, False),
            (40, 60),
        )
        await stage.settle(v.cancel(tomas, book))
        assert stage.lesson(book) == (LessonState.CANCELLED, Payment.RETURNED, True)
        assert await stage.vault("ana") == (100, 0)


async def test_a_proposal_that_its_author_replaced_is_agreed_to_by_nobody(chain, tmp_path):
    async with staged(chain, tmp_path, "second thoughts") as stage:
        v, ana, tomas = stage.v, stage.who("ana"), stage.who("tomas")
        book = v.book(ana, tomas, 0)
        first = v.move(ana, book, START_S + 3_600)
        second = v.move(ana, first, START_S + 7_200)
        await stage.settle(book, first, second)
        late = v.agree(tomas, first)
        await stage.uplink.offer([late])
        await stage.settle(v.agree(tomas, second))
        entry = stage.views.lessons[book.id]
        assert (entry.start, entry.version) == (START_S + 7_200, second.id)
        assert (stage.views.moves[first.id].replaced, stage.views.moves[first.id].agreed) == (True, False)
        known = stage.views.settlement.get(late.id)
        assert known is None or not known.is_done


async def test_a_declined_and_a_withdrawn_booking_cost_nothing(chain, tmp_path):
    async with staged(chain, tmp_path, "nothing", hours=100) as stage:
        v, ana, tomas = stage.v, stage.who("ana"), stage.who("tomas")
        declined, withdrawn = v.book(ana, tomas, 60), v.book(ana, tomas, 30)
        await stage.settle(
            declined, v.decline(tomas, declined), v.void(ana, withdrawn), withdrawn, refused=(withdrawn,)
        )
        assert stage.lesson(declined) == (LessonState.DECLINED, Payment.RETURNED, True)
        assert stage.lesson(withdrawn) == (LessonState.CANCELLED, Payment.NONE, False)
        assert await stage.vault("ana") == (100, 0)


async def test_an_earmark_pays_a_lesson_and_the_rest_goes_back(chain, tmp_path):
    async with staged(chain, tmp_path, "earmark", hours=100) as stage:
        v, ana, tomas = stage.v, stage.who("ana"), stage.who("tomas")
        until = stage.views.time_s + 30 * DAY_S
        earmark = v.earmark(ana, tomas, 80, moment=until)
        book = v.book(ana, tomas, 60, bits=60 | DRAWS_ON_EARMARK, subject=earmark.id)
        attend = v.attend(ana, book, tomas)
        held = [v.confirm(tomas, book), attend, v.attend(tomas, attend, ana)]
        await stage.settle(earmark, book, *held, v.complete(ana, book))
        assert stage.lesson(book) == (LessonState.COMPLETED, Payment.RELEASED, True)
        assert (stage.views.earmarks[earmark.id].state, stage.views.earmarks[earmark.id].left) == ("safe", 20)
        assert (await stage.vault("ana"), await stage.vault("tomas")) == ((20, 20), (60, 0))
        await stage.settle(v.give_back(tomas, earmark))
        assert stage.views.earmarks[earmark.id].state == "returned"
        assert await stage.vault("ana") == (40, 0)


async def test_a_dispute_ends_by_taking_the_others_offer(chain, tmp_path):
    async with staged(chain, tmp_path, "dispute", hours=200) as stage:
        v, ana, tomas = stage.v, stage.who("ana"), stage.who("tomas")
        book = v.book(ana, tomas, 100)
        await stage.settle(book, v.confirm(tomas, book), opening := v.dispute(ana, book))
        assert stage.lesson(book) == (LessonState.DISPUTED, Payment.DISPUTED, False)
        assert stage.views.disputes[book.id].opening == opening.id
        offer = v.dispute_offer(tomas, book, 2_500)
        await stage.settle(offer, v.dispute_accept(ana, offer))
        assert stage.lesson(book) == (LessonState.DECIDED, Payment.SPLIT, True)
        assert stage.views.disputes[book.id].points == 2_500
        assert (await stage.vault("tomas"), await stage.vault("ana")) == ((25, 0), (175, 0))


async def test_a_lesson_that_needs_a_guardian_and_one_that_somebody_else_pays(chain, tmp_path):
    async with staged(chain, tmp_path, "guarded", hours=50) as stage:
        v, ana, tomas, bibi = stage.v, stage.who("ana"), stage.who("tomas"), stage.who("bibi")
        guardian = v.guardian_set(bibi, ana)
        book = v.book(bibi, tomas, 50, bits=60 | NEEDS_GUARDIAN)
        confirms = [v.confirm(tomas, book), v.confirm(ana, book, bits=2)]
        await stage.settle(guardian, book, *confirms, v.lock(ana, 50, subject=book))
        assert stage.lesson(book) == (LessonState.CONFIRMED, Payment.LOCKED, False)
        assert await stage.vault("ana") == (0, 50)


async def test_a_class_is_opened_and_attended(chain, tmp_path):
    async with staged(chain, tmp_path, "class") as stage:
        taught = stage.v.class_open(stage.who("tomas"))
        there = [stage.v.class_attend(stage.who(name), taught) for name in ("ana", "bibi")]
        seen = stage.v.class_attend(stage.who("tomas"), taught, who=stage.who("ana"))
        await stage.settle(taught, *there, seen)
        entry = stage.views.classes[taught.id]
        assert (entry.attended, entry.settled, entry.waiting) == (1, 1, (stage.v.principal(stage.who("bibi")),))


async def test_time_claims_a_lesson_and_recovers_a_person(chain, tmp_path):
    async with staged(chain, tmp_path, "time", hours=60) as stage:
        v, ana, tomas, bibi, fresh = stage.v, *map(stage.who, ("ana", "tomas", "bibi", "fresh"))
        book = v.book(ana, tomas, 60)
        guardians = v.guardian_set(ana, bibi, moment=7 * DAY_S)
        opening = v.recovery_open(fresh, ana)
        await stage.settle(book)  # from here on her money is frozen
        await stage.settle(guardians, opening, v.recovery("approve", bibi, opening))
        await advance(stage.url, burn_blocks=50 * DAY_S // 600)
        claim, finish = v.claim("anybody", book), v.recovery("finish", "anybody", opening)
        await stage.settle(claim, finish)
        assert stage.lesson(book) == (LessonState.LAPSED, Payment.RETURNED, True)
        assert await stage.vault("ana") == (60, 0)
        assert stage.views.recoveries[opening.id].state is RecoveryState.FINISHED
        assert set(stage.views.persons[v.principal(ana)].keys) == {v.principal(fresh)}
        add = v.key_add(fresh, stage.who("spare"), opening)
        again = v.book(stage.who("spare"), tomas, 20)
        await stage.settle(add, v.key_accept(stage.who("spare"), add), again)
        assert stage.views.lessons[again.id].student == v.principal(ana)
        assert await stage.vault("ana") == (40, 20)


async def test_an_abandoned_lessons_money_comes_back_though_nobody_signs_anything_about_it(chain, tmp_path):
    async with staged(chain, tmp_path, "abandoned", hours=60) as stage:
        v, ana, tomas = stage.v, stage.who("ana"), stage.who("tomas")
        book = v.book(ana, tomas, 60)
        await stage.settle(book)
        await advance(stage.url, burn_blocks=50 * DAY_S // 600)
        assert await stage.vault("ana") == (0, 60)
        await stage.uplink.offer([v.register(stage.who("a passer-by"))])  # whose receipt tells the mesh the time
        await stage.uplink.turn_until(lambda: stage.lesson(book)[2])
        assert stage.lesson(book) == (LessonState.LAPSED, Payment.RETURNED, True)
        assert await stage.vault("ana") == (60, 0)
        claims = [each for _, each in await stage.uplink.store.page(0, 10_000) if each.kind == "lesson-claim"]
        assert [claim.statement.author for claim in claims] == [v.principal("uplink")]
