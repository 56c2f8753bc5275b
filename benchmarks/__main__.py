"""Print what the program's speed is, side by side with what it must be: ``make bench``, ``make bench ONLY=reading``."""

import argparse
import importlib
import sys
import time

from benchmarks.report import Report, machine

PARTS = ("starting", "reading", "issuing", "planning", "importing", "publishing", "large")


def main() -> int:
    """Run the parts that were asked for, the quick ones first."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"which of {', '.join(PARTS)}; all by default")
    wanted = parser.parse_args().parts or PARTS
    report = Report()
    started = time.perf_counter()
    print(machine(), flush=True)
    for part in wanted:
        print(f"\n{part}", flush=True)
        importlib.import_module(f"benchmarks.{part}").measure(report)
    print(f"\n{report.table()}\n\n{len(report.missed)} missed; took {time.perf_counter() - started:.0f} s.")
    return int(bool(report.missed))


if __name__ == "__main__":
    sys.exit(main())
