"""What rules look at, and how much of it at once: docs/views.md."""

HUB_NAME_CHARS_MAX = 64  # what a status page shows on one line
HUB_ADDRESSES_MAX = 8  # a hub's networks, twice: IPv4 and IPv6
HUB_ANNOUNCES_MAX = 64  # of a hub that stewards admitted, looked at beside those they named; later ones say nothing
HUB_ANNOUNCES_UNNAMED_MAX = 16  # the same of others: keys cost nothing, and who is admitted is never folded late
HUB_ADDRESS_CHARS_MAX = 255  # a DNS name is at most 253
KEY_CHAIN_MAX = 32  # key-adds from one back to its registration: a person who changed phones thirty times
GUARDIANS_MAX = 5  # slots of a person, and the highest threshold; as in `user-registry`
GUARDIANS_UNANIMOUS = 3  # so many, none missing, overrule an objection; as in `recovery`
GUARDIAN_DELAY_S_MIN = 7 * 86_400  # a week to object in; as in `user-registry`
GUARDIAN_DELAY_S_MAX = 365 * 86_400  # as in `user-registry`
LESSON_MOVES_MAX = 32  # of one lesson, one after the other: beyond it a lesson is where it was moved last
DISPUTE_OFFERS_MAX = 8  # of one person, shown at once: the chain takes one of those that replace the same
PERSON_KEY_ADDS_MAX = 64  # of one person, looked at; beyond it new keys have no effect
FOLD_ACTIONS_AT_ONCE = 16  # new actions folded as they come; more wait for steps, so that nobody waits for them
FOLD_ACTIONS_PER_STEP = 16  # actions filed before others get a turn: about 1 ms here
FOLD_EVALUATIONS_PER_STEP = 64  # rules asked before others get a turn: about 4 ms here, 20 ms on a Pi 4
FOLD_KEEP_ACTIONS = 512  # folded between two commits while catching up: a larger one holds up the others for too long
FOLD_KEEP_S = 0.25  # between two commits otherwise
