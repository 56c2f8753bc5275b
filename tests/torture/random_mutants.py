"""Break the program in lines drawn by lot, and see whether the tests within one process that run the line notice.

make mutants RANDOM=200 SEED=7        python -m tests.torture.random_mutants --help

Mutants live in copies of the repository among temporary files; the repository itself is only read. What was tried is
kept in .mutants/ and not tried again while program and tests are the same: a draw that was broken off goes on. All are
first shown to the nearest tests that run their line, few cases of each; those that survive them, to all others
that run it: no other can notice them. Mutants that change nothing, or that a second defence catches, are listed
by hand in known_mutants.toml with the reason, and not tried.
"""

import argparse
import ast
import hashlib
import json
import os
import random
import signal
import sys
import tempfile
import time
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from pathlib import Path
from queue import SimpleQueue
from types import FrameType

import coverage

from tests.torture.mutations import Mutation, compiles, mutations_of
from tests.torture.workshop import ROOT, Workshop, red

RECORD = ROOT / ".mutants"
NEAR = 60  # tests that a mutant is shown first
OF_EACH = 3  # of them, cases of one test
MOST_SURVIVE = 0.08  # of those that are not equivalent
_LEFT_OUT = ("sandbox/", "__main__.py")  # the stand-in is equipment; the tests run it, not it them
MOST_RED = 20  # tests that may be red in the copy without a mutant


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant."""

    mutation: Mutation
    outcome: str  # killed, equivalent, redundant, survives
    by: str = ""


class Lines:
    """Which test runs which line, measured once for a state of the program and its tests."""

    def __init__(self, state: str, shop: Workshop) -> None:
        self._file = RECORD / f"lines-{state}"
        self._red = RECORD / f"red-{state}"
        if not self._file.exists():
            self._measure(shop)

    def _measure(self, shop: Workshop) -> None:
        """Run them; those that are red in the copy as it is can notice nothing and are left out."""
        print("Noting which test runs which line; this takes a few minutes, once.", flush=True)
        folder = shop.folder.parent / "notes"
        folder.mkdir()
        arguments = ["-m", "not slow or further", "-n", str(os.cpu_count()), "-p", "tests.torture.contexts"]
        code, shown = shop.run(arguments, 3600, CREDLY_TESTS_CONTEXTS=str(folder))
        left_out = red(shown)
        if code not in (0, 1) or len(left_out) > MOST_RED:
            raise SystemExit(f"The tests are not green as the program is:\n{shown[-3000:]}")
        for test in left_out:
            print(f"red without a mutant, so left out: {test}", flush=True)
        self._red.write_text("\n".join(left_out), encoding="utf-8")
        notes = coverage.CoverageData(str(self._file))
        for part in folder.iterdir():
            other = coverage.CoverageData(str(part))
            other.read()
            notes.update(other)
        notes.write()

    @cached_property
    def _notes(self) -> coverage.CoverageData:
        notes = coverage.CoverageData(str(self._file))
        notes.read()
        return notes

    @cached_property
    def _reach(self) -> Counter[str]:
        """How many lines each test runs."""
        reach: Counter[str] = Counter()
        for file in self._notes.measured_files():
            for tests in self._lines(file).values():
                reach.update(tests)
        for left_out in ("", *self._red.read_text(encoding="utf-8").splitlines()):
            reach.pop(left_out, None)
        return reach

    @lru_cache  # noqa: B019 - there is one
    def _lines(self, file: str) -> dict[int, list[str]]:
        return self._notes.contexts_by_lineno(file)

    @lru_cache  # noqa: B019 - there is one
    def _in_functions(self, file: str) -> set[int]:
        tree = ast.parse((ROOT / "credly_cli" / file).read_text(encoding="utf-8"))
        bodies = [node.body for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        return {line for body in bodies for line in range(body[0].lineno, (body[-1].end_lineno or 0) + 1)}

    def tests_of(self, file: str, line: int) -> list[str]:
        """Return the tests that run a line, the nearest first and few cases of each.

        The more of what a test runs is in the file, the nearer it is. Few tests are joined by those that run other
        lines of the file: what is cached runs for the first of them only. What runs on import, as it does for the first
        test that imports it, is for all that run the file, and where none does, for all there are.
        """
        lines = self._lines(f"credly_cli/{file}")
        noted = lines.get(max((other for other in lines if other <= line), default=0), [])
        here = Counter(test for others in lines.values() for test in others if test in self._reach)
        on_import = "" in noted or line not in self._in_functions(file)
        tests = (here.keys() or self._reach.keys()) if on_import else set(noted) & self._reach.keys()
        by_nearness = sorted(here.keys() | tests, key=lambda test: (-here[test] / self._reach[test], test))
        nearest = [test for test in by_nearness if test in tests]
        nearest += [test for test in by_nearness if test not in tests][: max(0, NEAR - len(nearest))]
        cases: Counter[str] = Counter()
        rounds = {}
        for test in nearest:
            name = test.partition("[")[0]
            rounds[test] = cases[name] // OF_EACH
            cases[name] += 1
        return sorted(nearest, key=rounds.__getitem__)


def state_of(*folders: str) -> str:
    """Return a short mark of the text of everything in some folders."""
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            digest.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def drawn(count: int, seed: int, only: str) -> list[Mutation]:
    """Return so many mutations in an order that the seed decides, at most one a line."""
    package = ROOT / "credly_cli"
    sources = {
        name: path.read_text(encoding="utf-8")
        for path in sorted(package.rglob("*.py"))
        if (name := path.relative_to(package).as_posix()).startswith(only) and not name.startswith(_LEFT_OUT)
    }
    every = [mutation for name, source in sources.items() for mutation in mutations_of(name, source)]
    random.Random(seed).shuffle(every)  # noqa: S311 - chance, no secret
    chosen: dict[tuple[str, int], Mutation] = {}
    for mutation in every:
        place = (mutation.file, mutation.line)
        if len(chosen) < count and place not in chosen and compiles(mutation, sources[mutation.file]):
            chosen[place] = mutation
    print(f"{len(every)} mutants in {len(sources)} modules; drawn: {len(chosen)}")
    return list(chosen.values())


def known() -> dict[tuple[str, str, str], str]:
    """Return what is listed by hand: which kind it is."""
    with Path(__file__).with_name("known_mutants.toml").open("rb") as file:
        lists = tomllib.load(file)
    return {
        (row["file"], row["line"], row["change"]): kind
        for kind in ("equivalent", "redundant")
        for row in lists.get(kind, ())
    }


class Draw:
    """One draw: tries what is not known yet, and keeps each verdict at once."""

    def __init__(self, folder: Path) -> None:
        RECORD.mkdir(exist_ok=True)
        state = state_of("credly_cli", "tests")
        self._record = RECORD / f"verdicts-{state}.jsonl"
        self._known = known()
        self._kept = {row["mutant"]: row["by"] for row in self._read()}
        self._shops: SimpleQueue[Workshop] = SimpleQueue()
        self._every_shop = [Workshop(folder / str(number)) for number in range(os.cpu_count() or 1)]
        for shop in self._every_shop:
            self._shops.put(shop)
        self._lines = Lines(state, self._every_shop[0])

    def stop(self) -> None:
        """Break the draw off; what was tried is kept."""
        for shop in self._every_shop:
            shop.stop()

    def _read(self) -> Iterator[dict[str, str]]:
        if self._record.exists():
            for line in self._record.read_text(encoding="utf-8").splitlines():
                yield json.loads(line)

    def show(self, mutation: Mutation, end: float, *, near: bool) -> None:
        """Show a mutant to the tests that are near or to all others, unless that is known or time is up."""
        tests = self._lines.tests_of(mutation.file, mutation.line)
        tests = tests[:NEAR] if near else tests[NEAR:]
        if self._kind(mutation) or self._by(mutation) or not tests or time.monotonic() > end:
            return
        mark = _mark(mutation, near=near)
        if mark in self._kept:
            return
        shop, begun = self._shops.get(), time.monotonic()
        try:
            by = shop.noticed_by(mutation.file, mutation.apply, tests, seconds=1000 if near else 3600)
        finally:
            self._shops.put(shop)
        self._kept[mark] = by
        with self._record.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"mutant": mark, "by": by}) + "\n")
        seconds = f"{time.monotonic() - begun:.0f} s of {len(tests)} {'near' if near else 'other'} tests"
        print(f"{mutation.file}:{mutation.line}: {mutation.change}: {by or 'nobody notices'} ({seconds})", flush=True)

    def _kind(self, mutation: Mutation) -> str:
        return self._known.get((mutation.file, mutation.text, mutation.change), "")

    def _by(self, mutation: Mutation) -> str:
        return self._kept.get(_mark(mutation, near=True)) or self._kept.get(_mark(mutation, near=False)) or ""

    def verdict(self, mutation: Mutation) -> Verdict | None:
        """Return what became of a mutant, ``None`` where it was not shown to all that might notice."""
        if kind := self._kind(mutation):
            return Verdict(mutation, kind)
        if by := self._by(mutation):
            return Verdict(mutation, "killed", by)
        tests = self._lines.tests_of(mutation.file, mutation.line)
        shown = [_mark(mutation, near=near) in self._kept for near in (True, False)]
        return Verdict(mutation, "survives") if all(shown[: bool(tests) + bool(tests[NEAR:])]) else None


def _mark(mutation: Mutation, *, near: bool) -> str:
    return f"{mutation.file}:{mutation.start}:{mutation.end}:{mutation.after}:{'near' if near else 'all'}"


def table(verdicts: list[Verdict]) -> str:
    """Return the figures by module, and the survivors."""
    columns = ("killed", "equivalent", "redundant", "survives")
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for verdict in verdicts:
        for name in (verdict.mutation.file, "all"):
            counts[name][verdict.outcome] += 1
    counts["all"] = counts.pop("all", Counter())
    rows = [f"{'':<34}{'tried':>7}" + "".join(f"{column:>12}" for column in columns)]
    for name, row in sorted(counts.items(), key=lambda item: (item[0] == "all", item[0])):
        rows.append(f"{name:<34}{row.total():>7}" + "".join(f"{row[column]:>12}" for column in columns))
    for verdict in verdicts:
        if verdict.outcome == "survives":
            mutation = verdict.mutation
            rows.append(f"survives: {mutation.file}:{mutation.line}: {mutation.change}\n    {mutation.text}")
    return "\n".join(rows)


def _tried(mutations: list[Mutation], folder: Path, seconds: float) -> list[Verdict | None]:
    draw, end = Draw(folder), time.monotonic() + seconds
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        try:
            for near in (True, False):
                list(pool.map(partial(draw.show, end=end, near=near), mutations))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            draw.stop()
    return [draw.verdict(mutation) for mutation in mutations]


def _break_off(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> int:
    """Draw, try and print the table; 1 when more survive than may."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))  # noqa: S311 - chance, no secret
    parser.add_argument("--only", default="", help="files whose path within credly_cli begins so")
    parser.add_argument("--minutes", type=float, default=30, help="begin no new mutant after that")
    options = parser.parse_args()
    print(f"seed {options.seed}")
    mutations = drawn(options.count, options.seed, options.only)
    signal.signal(signal.SIGTERM, _break_off)
    try:
        with tempfile.TemporaryDirectory(prefix="credly-mutants-") as folder:
            tried = _tried(mutations, Path(folder), options.minutes * 60)
    except KeyboardInterrupt:
        print("Broken off; the same draw goes on from here.")
        return 128 + signal.SIGINT
    verdicts = [verdict for verdict in tried if verdict is not None]
    print(table(verdicts))
    counts = Counter(verdict.outcome for verdict in verdicts)
    count = counts.total() - counts["equivalent"]
    share = counts["survives"] / count if count else 0
    print(f"{len(mutations) - len(verdicts)} not tried; {share:.1%} of those that are not equivalent survive")
    return int(share > MOST_SURVIVE)


if __name__ == "__main__":
    sys.exit(main())
