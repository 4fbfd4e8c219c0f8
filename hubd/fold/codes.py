"""What the chain's answer to one action means for its views. contracts/errors.json is the whole table, with words.

Codes that are in neither set may turn into success when what they wait for arrives.
"""

SPENT = 4  # the action was executed before: another transaction was first
DONE = frozenset((0, SPENT))
WITHDRAWN = 11  # its own person withdrew it before it was done
ABORTED = 10_000  # alone in its transaction, and the transaction aborted (docs/relay.md)
REFUSED = frozenset(
    (
        *(1, 2, 3, 5, 6, 10, WITHDRAWN, 12, 13),  # action-gateway
        *(200, 202, 203, 204, 205, 206, 207, 210, 211, 212, 214, 215, 216, 218),  # user-registry
        *(300, 302, 304, 305, 306),  # tutor-profile
        *(400, 402, 403, 404, 405, 406),  # student-request
        *(500, 502, 503, 504, 505, 506, 507, 508),  # matching-engine
        *(600, 602, 603, 604, 606, 608, 609, 610, 612, 616, 617, 622),  # session-manager
        *(700, 702, 704, 706, 707, 709, 712),  # payment-escrow
        *(802, 803, 804, 806, 807, 808, 810),  # reputation-tracker
        *(901, 902, 903, 905, 906, 907, 909, 910, 911, 913, 914, 916, 917),  # dispute-resolution
        *(1100, 1103, 1104, 1105, 1106),  # sponsor-pool
        *(1200, 1203, 1204, 1205, 1206, 1207),  # class-manager
        *(1300, 1301, 1304, 1305, 1307, 1308, 1311, 1312),  # recovery
        *(1400, 1401, 1402, 1403),  # panel
        ABORTED,
    )
)
