"""The order of the views. A rule reads entries of views above its own, and of its own further down `subject`."""

from hubd.fold.agenda import AGENDA_STRATA
from hubd.fold.balances import BALANCES
from hubd.fold.bookings import BOOKINGS
from hubd.fold.classes import CLASSES
from hubd.fold.council import COUNCIL
from hubd.fold.disputes import DISPUTES
from hubd.fold.earmarks import EARMARKS
from hubd.fold.guardians import GUARDIANS, RECOVERIES
from hubd.fold.keys import KEYS, RINGS
from hubd.fold.lessons import LESSONS
from hubd.fold.market import MARKET_STRATA
from hubd.fold.membership import HUBS, MESH
from hubd.fold.moves import MOVES
from hubd.fold.persons import PERSON_STRATA
from hubd.fold.read import Stratum
from hubd.fold.reputation import RATINGS, REPUTATION
from hubd.fold.settlement import SETTLEMENT, TRANSACTIONS
from hubd.fold.void import FOREIGN, UNKNOWN, VOID

STRATA: tuple[Stratum, ...] = (
    COUNCIL,
    HUBS,
    MESH,
    TRANSACTIONS,
    SETTLEMENT,
    BALANCES,
    RINGS,
    KEYS,
    VOID,
    FOREIGN,
    UNKNOWN,
    *PERSON_STRATA,
    GUARDIANS,
    RECOVERIES,
    *MARKET_STRATA,
    MOVES,
    DISPUTES,
    BOOKINGS,
    RATINGS,
    REPUTATION,
    LESSONS,
    EARMARKS,
    CLASSES,
    *AGENDA_STRATA,
)
