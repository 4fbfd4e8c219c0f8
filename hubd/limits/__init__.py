"""Every bound of the program, with its unit (last word of the name) and its reason.

What a coordinator may choose stands in `hubd.config`, within these. Nothing else in the code holds a bound. Each part here
is a subject; all are asked for as `hubd.limits`, so a bound may move from part to part.
"""

from hubd.limits.clock import *
from hubd.limits.fold import *
from hubd.limits.gossip import *
from hubd.limits.phones import *
from hubd.limits.post import *
from hubd.limits.relay import *
from hubd.limits.services import *
from hubd.limits.store import *
from hubd.limits.values import *
