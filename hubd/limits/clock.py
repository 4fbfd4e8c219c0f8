"""Who is believed about a hub's own clock, and for how long (docs/operation.md)."""

CLOCK_LOOK_S = 60.0  # between two looks at what keeps this machine's clock: a look is one system call
CLOCK_ERROR_US_MAX = 16_000_000  # the kernel's bound on a clock's error, where it calls it unsynchronised
CLOCK_MARK_S = 3_600  # between two writes of the latest time that is certain: 9,000 a year spare the card
CLOCK_CHAIN_S = 7_200  # a block may be so far ahead of its time, by Bitcoin's own rule
CLOCK_WORD_S = 14 * 86_400  # a witness is believed so long: a cheap quartz strays a minute in it
CLOCK_OLDER_S = 60 * 86_400  # what phones bring may have waited a school term; if all is older, the clock is ahead
CLOCK_PERSONS_MIN = 3  # persons who must agree about the clock: one phone, or one with a friend's, says nothing
CLOCK_PERSONS_MAX = 64  # of whom it is remembered what their phones showed: 10 kB
