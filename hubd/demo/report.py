"""What the demo ends with: one object for programs, and the same in tables for people."""

from collections.abc import Sequence
from typing import Any

from hubd.demo.story import DEPOSIT_FACTOR, Story
from hubd.messages import phrase, term
from hubd.sums import HOURS_TOKEN, places, stx_of, sum_of

ENDS = {"settled": "released", "cancelled": "returned"}  # what a lesson came to, and its price
STAGES = ("settled", "final")  # beyond what people sign
_SUMS = ("price", "free", "locked", "deposited", "paid")
LEVELS = ("included", "anchored", "final")


async def report(story: Story) -> dict[str, Any]:
    """Facts as the hubs and the chain tell them now."""
    village = story.village
    hubs = [await hub.status() for hub in village.hubs]
    rows = [{key: fact[key] for key in ("name", "count", "fingerprint", "views")} for fact in hubs]
    for lesson in await village.hubs[0].ask("lessons"):
        story.tale.note(lesson)
    lessons = [
        {
            "id": lesson["id"],
            "state": "settled" if lesson["settled"] and lesson["state"] == "completed" else lesson["state"],
            "payment": lesson["payment"],
            "asset": lesson["asset"],
            "level": None if lesson["level"] is None else LEVELS[lesson["level"]],
            "times": story.tale.states[lesson["id"]],
        }
        for lesson in sorted(story.tale.lessons.values(), key=lambda entry: str(entry["id"]))
    ]
    returned = await _returned(story)
    return {
        "converged": len({(row["count"], row["fingerprint"], row["views"]) for row in rows}) == 1
        and all(ENDS.get(lesson["state"]) == lesson["payment"] for lesson in lessons)
        and (returned["free"], returned["locked"]) == (returned["deposited"] - returned["paid"], 0),
        "hubs": rows,
        "lessons": lessons,
        "chain": await _chain(story),
        "balances": await _balances(story),
        "returned": returned,
        "places": places(dict(village.charter.assets), village.charter.contract(HOURS_TOKEN)),
    }


async def _chain(story: Story) -> dict[str, int]:
    """The relay's transactions, the actions they carried out, and its fees in uSTX."""
    status = await story.village.hubs[-1].status()
    ledger = await story.village.hubs[-1].ask("ledger")
    return {"transactions": ledger["included"], "actions": ledger["actions"], "fees": status["relay"]["fees_day_ustx"]}


async def _balances(story: Story) -> list[dict[str, Any]]:
    found = []
    for pair in story.pairs:
        asset = story.village.charter.asset(pair.asset)
        held = await story.village.balance(pair.tutor.principal, asset)
        after = held.free + held.wallet
        found.append({"person": pair.tutor_name, "asset": pair.asset, "before": pair.paid_before, "after": after})
    return found


async def _returned(story: Story) -> dict[str, Any]:
    """The student whose second lesson was cancelled: what the vault holds, and what was deposited and paid."""
    pair = story.pairs[0]
    held = await story.village.balance(pair.student.principal, story.village.charter.asset(pair.asset))
    sums = {"deposited": pair.price * DEPOSIT_FACTOR, "paid": pair.price, "free": held.free, "locked": held.locked}
    return {"person": pair.student_name, "asset": pair.asset, "price": pair.price, **sums}


def tables(facts: dict[str, Any]) -> list[str]:
    """The same facts for people."""
    nothing, back, chain = phrase("demo.nothing"), facts["returned"], facts["chain"]
    hubs = [(hub["name"], hub["count"], hub["fingerprint"][:16], hub["views"][:16]) for hub in facts["hubs"]]
    lessons = [
        (
            lesson["id"][:8],
            lesson["asset"],
            _state(lesson["state"]),
            term("price", lesson["payment"]),
            term("level", lesson["level"]) if lesson["level"] else nothing,
            ", ".join(f"{_state(state)} {at}" for state, at in lesson["times"].items()),
        )
        for lesson in facts["lessons"]
    ]
    sums = {each: sum_of(back[each], back["asset"], facts["places"]) for each in _SUMS}
    tutors = [
        (row["person"], *(sum_of(row[when], row["asset"], facts["places"]) for when in ("before", "after")))
        for row in facts["balances"]
    ]
    return [
        *_table([phrase("demo.hub"), phrase("demo.actions"), phrase("demo.fingerprint"), phrase("demo.views")], hubs),
        *_table(
            [
                phrase("demo.lesson"),
                phrase("demo.asset"),
                phrase("demo.state"),
                phrase("demo.price"),
                phrase("demo.level"),
                phrase("demo.seen"),
            ],
            lessons,
        ),
        *_table([phrase("demo.tutor"), phrase("demo.before"), phrase("demo.after")], tutors),
        "",
        phrase(
            "demo.returned", person=back["person"], price=sums["price"], free=sums["free"], locked=sums["locked"],
            deposited=sums["deposited"], paid=sums["paid"],
        ),
        "",
        phrase("demo.work", transactions=chain["transactions"], actions=chain["actions"], fees=stx_of(chain["fees"])),
        phrase("demo.same" if facts["converged"] else "demo.different"),
    ]  # fmt: skip


def _state(state: str) -> str:
    return term("stage" if state in STAGES else "lesson", state)


def _table(heads: list[str], rows: Sequence[tuple[str | int, ...]]) -> list[str]:
    """Columns as wide as what is in them; numbers stand at the right."""
    cells = [heads, *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(heads))]
    is_number = [isinstance(cell, int) for cell in rows[0]] if rows else [False] * len(heads)
    columns = list(zip(widths, is_number, strict=True))
    lines = (
        "  ".join(
            cell.rjust(wide) if right else cell.ljust(wide) for cell, (wide, right) in zip(row, columns, strict=True)
        )
        for row in cells
    )
    return ["", *(line.rstrip() for line in lines)]
