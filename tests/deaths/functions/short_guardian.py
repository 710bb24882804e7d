"""The guardian by the same faster clock."""

from functools import partial

from cfn_once import guardian
from support.fast_clock import FastClock

handler = partial(guardian.handler, clock=FastClock.from_environment())
