"""What the demo ends with: one object for programs, and the same in tables for people."""

from typing import Any

from hubd.demo.story import DEPOSIT_FACTOR, Story

ENDS = {"settled": "released", "cancelled": "returned"}  # what a lesson came to, and its price
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
    lines = ["", "hub      actions  fingerprint       views"]
    lines += [
        f"{hub['name']:<8} {hub['count']:>7}  {hub['fingerprint'][:16]}  {hub['views'][:16]}" for hub in facts["hubs"]
    ]
    lines += ["", "lesson    asset  state      price     level     seen at the first hub after (s)"]
    for lesson in facts["lessons"]:
        times = ", ".join(f"{state} {at}" for state, at in lesson["times"].items())
        lines.append(
            f"{lesson['id'][:8]}  {lesson['asset']:<5}  {lesson['state']:<9}  {lesson['payment']:<8}"
            f"  {lesson['level'] or '-':<8}  {times}"
        )
    lines += ["", "tutor     asset     before      after   (on the chain)"]
    lines += [
        f"{row['person']:<9} {row['asset']:<5} {row['before']:>10} {row['after']:>10}" for row in facts["balances"]
    ]
    back = facts["returned"]
    lines += [
        "",
        f"{back['person']}'s cancelled lesson gave {back['price']} back; in the vault {back['free']} are free,",
    ]
    lines[-1] += f" {back['locked']} locked: {back['deposited']} deposited less {back['paid']} paid"
    chain = facts["chain"]
    lines += [
        "",
        f"{chain['transactions']} transactions carried out {chain['actions']} actions for {chain['fees']} uSTX of fees",
    ]
    lines.append("all hubs show the same" if facts["converged"] else "THE HUBS DIFFER, or a lesson is not settled")
    return lines
