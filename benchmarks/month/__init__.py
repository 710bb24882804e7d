"""
The founding month, replayed: one plan of events, three providers, one report.

    _plan        what is delivered, and when: a function of the seed alone
    _external_api    the API that makes a group with each call, and counts
    _cfn_once, _crhelper, _powertools    the three providers, each in a process of its own
    _worker      one provider through the month, stopped and taken up again
    _run         the three at once, and how far they are
    _report, _chart, _page    what came of it

The workers of the peers run in the peers' environment: `_plan`, `_external_api` and `_worker`
import nothing but the standard library.
"""

from .. import ROOT

BUILD = ROOT / "build" / "month"
PROVIDERS = ("cfn_once", "crhelper", "powertools")
NAMES = {
    "cfn_once": "cfn-once",
    "crhelper": "crhelper",
    "powertools": "Powertools, by RequestId",
}
