"""Try thousands of random histories of the program, and count what must never happen.

    python -m tests.torture.histories [--histories 2000] [--workers 1] [--seed N] [--shrink]

They are tried some at a time, each lot with a seed of its own. The first history of a lot that fails is printed as a
test of plain calls (with ``--shrink`` as short as can be found in less than a minute), and ends its lot.
"""

import argparse
import multiprocessing
import os
import random
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import hypothesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis.internal.conjecture import engine
from hypothesis.stateful import run_state_machine_as_test

from tests.torture.any_history import AnyHistory, did
from tests.torture.truth import HarmError

_MEMORY = Path("/dev/shm")  # noqa: S108 - what a disk loses is another test
_LOT = 25  # histories with one seed
_STEPS = 30  # of a history, beside its beginning and its end
_COUNTED = ("histories", "commands", "faults", "kills")
_HARM = ("doubled", "lost", "given to the wrong person", "bound to another", "failed otherwise")


@dataclass(frozen=True)
class Lot:
    """Some histories, and whether a failing one is to be made short."""

    seed: int
    histories: int
    shrink: bool


def try_lot(lot: Lot) -> tuple[Lot, Counter[str], str]:
    """Try the histories of a lot; returns what was done, what came of it, and how the first that failed went."""
    did.clear()
    engine.MAX_SHRINKING_SECONDS = 40
    phases = (Phase.generate, Phase.shrink) if lot.shrink else (Phase.generate,)
    options = settings(
        max_examples=lot.histories, stateful_step_count=_STEPS, deadline=None, database=None, phases=phases,
        suppress_health_check=list(HealthCheck), report_multiple_bugs=False,
    )  # fmt: skip
    machine = hypothesis.seed(lot.seed)(type("AnyHistory", (AnyHistory,), {}))
    try:
        run_state_machine_as_test(machine, settings=options)
    except Exception as error:  # noqa: BLE001 - whatever it is, the other lots go on
        return lot, did + Counter([_harm_of(error)]), "".join(traceback.format_exception(error))
    return lot, did + Counter(), ""


def _harm_of(error: BaseException) -> str:
    """Name the harm; threads may bring it in one run of a history and not in the next, which Hypothesis wraps."""
    if isinstance(error, HarmError):
        return error.harm
    within = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    return next((harm for one in within if (harm := _harm_of(one)) in _HARM[:-1]), _HARM[-1])


def torture(histories: int, seed: int, workers: int, *, shrink: bool) -> Iterator[tuple[Lot, Counter[str], str]]:
    """Try histories, some at a time, in so many processes."""
    lots = [
        Lot(seed + number, min(_LOT, histories - start), shrink)
        for number, start in enumerate(range(0, histories, _LOT))
    ]
    with multiprocessing.get_context("spawn").Pool(workers, maxtasksperchild=8) as pool:
        yield from pool.imap_unordered(try_lot, lots)


def main() -> int:
    """Try the histories and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--histories", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))  # noqa: S311 - chance, no secret
    parser.add_argument("--shrink", action="store_true")
    options = parser.parse_args()
    if "TMPDIR" not in os.environ and _MEMORY.is_dir():
        os.environ["TMPDIR"] = str(_MEMORY)
    total, started = Counter[str](), time.monotonic()
    print(f"seed {options.seed}", flush=True)  # noqa: T201
    for lot, counts, report in torture(options.histories, options.seed, options.workers, shrink=options.shrink):
        total += counts
        if report:
            plain = (line for line in report.splitlines() if "no_harm_is_done()" not in line)
            print("\n".join(plain), f"\n(--seed {lot.seed} --histories {lot.histories})", flush=True)  # noqa: T201
        print(f"{total['histories']:>6} histories, {_harm(total)} failed", file=sys.stderr, flush=True)  # noqa: T201
    for name in (*_COUNTED, *_HARM):
        print(f"{name:<28}{total[name]:>10,}")  # noqa: T201
    print(f"{'seconds':<28}{time.monotonic() - started:>10,.0f}")  # noqa: T201
    return 0 if not _harm(total) and total["histories"] >= options.histories else 1


def _harm(total: Counter[str]) -> int:
    return sum(total[name] for name in _HARM)


if __name__ == "__main__":
    sys.exit(main())
