"""Replay the founding month: three providers over the same events, and what each one made."""

import argparse
import sys
import time
from pathlib import Path

from .. import _peers
from . import BUILD
from ._plan import MULTIPLES, Plan
from ._report import Figures, write
from ._run import Stopped, run

PRICE = 0.10  # dollars per group and hour: a small instance, to have a figure


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.month", description=__doc__)
    add, plan = parser.add_argument, Plan()
    add("--days", type=float, help="how much of the month (all of it)")
    add("--seed", type=int, default=plan.seed, help="which creates come again (%(default)s)")
    add(
        "--rate",
        type=float,
        default=plan.rate,
        help=f"the share of creates that come again ({plan.rate:.7f}: {MULTIPLES} in a month)",
    )
    add(
        "--delay",
        type=int,
        default=plan.delay,
        help="seconds until a create comes again (%(default)s)",
    )
    add("--every", type=int, default=plan.every, help="seconds between creates (%(default)s)")
    add("--price", type=float, default=PRICE, help="dollars per group and hour (%(default)s)")
    add("--logs", type=Path, help="write the log of cfn-once's function into this file")
    add("--out", type=Path, default=BUILD, help="the folder of the report (build/month)")
    options = parser.parse_args()
    try:
        options.plan = Plan(
            seed=options.seed,
            days=options.days,
            rate=options.rate,
            delay=options.delay,
            every=options.every,
        )
    except ValueError as error:
        parser.error(str(error))
    if options.price < 0:
        parser.error("--price is 0 or more")
    if options.logs and not (options.logs.parent.is_dir() and not options.logs.is_dir()):
        parser.error(f"--logs {options.logs}: name a file in a folder that is there")
    return options


def main() -> int:
    """Return 1 where cfn-once did not keep what it promises, 130 after Ctrl-C."""
    options = _arguments()
    plan = options.plan
    peers = str(_peers.install())
    pythons = {"cfn_once": sys.executable, "crhelper": peers, "powertools": peers}
    print(
        f"{plan.creates:,} stacks created and deleted, one every {plan.every} s of virtual time;"
        f" {plan.multiples} creates delivered again after {plan.delay} s, {plan.triples} of them"
        " twice",
        flush=True,
    )
    began = time.monotonic()
    try:
        results = run(plan, options.out / "state", pythons, logs=options.logs)
    except (Stopped, KeyboardInterrupt):
        print("\nstopped; the same command goes on from here", file=sys.stderr)
        return 130
    figures = Figures(plan, results, options.price, time.monotonic() - began, _peers.versions())
    print(write(figures, options.out))
    return 0 if figures.kept else 1


if __name__ == "__main__":
    sys.exit(main())
