"""What the services of one hub do at once and how they start again, and what the local command asks of it."""

VERIFY_ACTIONS_PER_STEP = 64  # signatures checked before others get a turn: about 3 ms here, 20 ms on a Pi 4
TURNS_FIRST_MAX = 4  # turns in a row of what people bring, before hubs and bundles get one: four fifths of the time
SERVICE_RESTART_S_MIN = 0.5  # a service that fails once is back before a person notices
SERVICE_RESTART_S_MAX = 60  # one that keeps failing must not fill the log or heat the Pi
SERVICE_STEADY_S = 120  # after so long without a failure, back-off starts anew
MESH_PAGES_MAX = 64  # pages of a newcomer's membership actions that `admit --from` reads: 4 MB, 8,000 hubs
CONTROL_BYTES_MAX = 16 * 1024 * 1024  # one request of the local command, an import's portion at most
PAGE_WINDOW_ROWS = 16_384  # looked at in one step for what a peer did not bring itself: 2 ms, 10 ms on a Pi 4
PAGE_ACTIONS = 256  # actions read from the store in one step: 100 kB
UPLINK_AGAIN_S = 60.0  # before an uplink that a person must mend is tried again
