"""The same provider by a faster clock, where a run of half a minute shows nothing more."""

import os

from groups import provider as unhurried

from cfn_once._cloudformation.delivery import HttpsDelivery
from support.fast_clock import FastClock

# A socket's own patience is of the machine's seconds.
delivery = HttpsDelivery(hosts=[os.environ["CFN_ONCE_RESPONSE_HOSTS"]], connect=0.2)
provider = unhurried.using(clock=FastClock.from_environment(), delivery=delivery)
