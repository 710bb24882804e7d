"""What runs in the processes: the example's own provider and the guardian, by a faster clock."""

import logging
from functools import partial

from cfn_once import guardian as package
from elastigroup.provider import provider as example
from support.fast_clock import FastClock

logging.getLogger().setLevel(logging.INFO)
clock = FastClock.from_environment()
provider = example.using(clock=clock)
guardian = partial(package.handler, clock=clock)
