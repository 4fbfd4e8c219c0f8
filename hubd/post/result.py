"""What a file of post was for this hub: one word for programs, and a sentence of it for people."""

from enum import StrEnum

from hubd.post.bundle import Report
from hubd.post.office import Tally


class Result(StrEnum):
    """Of a bundle. Those that begin with "bundle" are codes, too (docs/errors.md)."""

    NEW = "new"  # something in it is new here
    WAITING = "waiting"  # nothing is, and some of it was not taken yet
    KNOWN = "known"  # all of it was here
    OWN = "own"  # this hub wrote it
    NOTHING = "nothing"  # its writer had nothing to carry
    OTHER_MESH = "bundle-mesh"
    OTHER_HUBS = "bundle-recipient"  # of this mesh, and not sealed to this hub
    DAMAGED = "bundle"  # nothing of it is whole, or it is no bundle

    @property
    def is_for_us(self) -> bool:
        """Whether somebody else wrote it for this hub, also where it did not arrive whole."""
        return self not in (Result.OWN, Result.OTHER_MESH, Result.OTHER_HUBS)


def result_of(report: Report, tally: Tally, *, is_own: bool) -> Result:
    """What a file was, from what its parts were and what became of them; `is_own` if this hub wrote all that was opened."""
    if report.chunks:
        if is_own:
            return Result.OWN
        return Result.NEW if tally.new else Result.WAITING if tally.deferred else Result.KNOWN
    if report.codes:
        return Result.OTHER_HUBS if report.codes == {Result.OTHER_HUBS} else Result.DAMAGED
    if report.foreign:
        return Result.OTHER_MESH
    return Result.NOTHING if report.is_whole and not report.damaged else Result.DAMAGED
