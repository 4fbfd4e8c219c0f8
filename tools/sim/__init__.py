"""`./dev sim`: a mesh of hubs, phones and mules in one process and in virtual time (docs/simulation.md).

clock      a heap of events, one source of chance, one trace
disk       the set of a hub: what is on the disk, what is only in memory, how long a commit takes
network    connections as TCP and CURVE make them: delay, bandwidth, stalls, breaks
middlebox  what loses, repeats and swaps single frames on them
doors      the intake, and what is known of authors
links      the links of one hub: those that it dials, and those that are dialled to it
hub        the real machines (`Peers`, `Channel`, sessions), performed over these
phones     phones and mules, who come by
rogues     hubs that lie, flood or withhold
scenario   what tests/sim/scenarios.toml says
plan       what is to happen, and when
story      a scenario and a seed become a world, which is run and judged
checks     what must be true of it, all the time and in the end
mutants    bugs, planted one at a time: every check catches one
shrink     the smallest story that still fails
report     tables, and the comparison with the baseline
"""
