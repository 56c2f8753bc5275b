"""Issuing badges with the full protocol: against a client that stores nothing, and against what the server allows."""

import json
import sys
from pathlib import Path

from benchmarks.measure import REPEATS, ROOT, Server, Took, in_turn, median, memory, run, seconds, serving
from benchmarks.peers import python_of_peer
from benchmarks.report import Line, Report
from benchmarks.stores import add_content, add_learners, complete, connected, copied, credly, workshop

LATENCY = 0.05


def measure(report: Report) -> None:
    """Measure 200 badges with 4 workers, 2,000 with 16, and 500 where 50 a second are allowed."""
    with serving(templates=5) as server, workshop() as folder:
        _whole(report, server, _due(folder / "200", server, 200, 4))
        _alone(report, server, _due(folder / "200-alone", server, 200, 4), 200, 4, 90)
        _alone(report, server, _due(folder / "2000-alone", server, 2000, 16), 2000, 16, 85)
        _limited(report, server, _due(folder / "500", server, 500, 4))


def _due(home: Path, server: Server, count: int, parallel: int) -> Path:
    """Make a home in which so many completions have earned a badge."""
    server.set()  # what was issued before must not cover what is to be issued
    connected(home, server, parallel=parallel)
    credly(home, "sync")
    add_content(home, 1, linked=1)
    add_learners(home, count)
    complete(home, count, 1)
    return home


def _whole(report: Report, server: Server, home: Path) -> None:
    def ours() -> Took:
        copy = copied(home)
        server.set(latency=LATENCY)
        took = credly(copy, "sync", "--json")
        assert took.json["grants"]["issued"] == 200, took.json  # noqa: PLR2004
        return took

    def theirs() -> Took:
        server.set(latency=LATENCY)
        return run([python_of_peer(), str(ROOT / "benchmarks" / "peer.py"), "issue", server.url, "200"])

    runs = in_turn({"ours": ours, "theirs": theirs})
    note = (
        f"{seconds(runs['ours']):.2f} s against {seconds(runs['theirs']):.2f} s that store nothing; "
        f"{memory(runs['ours']):.0f} MB against {memory(runs['theirs']):.0f} MB"
    )
    ratio = seconds(runs["theirs"]) / seconds(runs["ours"])
    what = "issue 200 badges, 50 ms, 4 workers, whole process, times as fast as credly-python-api"
    report.add(Line(what, ratio, must=3, is_better="more", note=note))


def _alone(report: Report, server: Server, home: Path, count: int, parallel: int, must: float) -> None:
    took, planned = [], []
    for _ in range(REPEATS):
        answer = _issue(server, home)
        assert answer["issued"] == count, answer
        took.append(answer["seconds"])
        planned.append(answer["plan"])
    limit = count * LATENCY / parallel
    asked = server.set()
    note = (
        f"{median(took):.2f} s, the limit is {limit:.2f} s; planned in {median(planned):.2f} s; "
        f"{asked['connections']} connections"
    )
    what = f"issuing {count:,} badges alone, of the limit of {parallel} in flight"
    report.add(Line(what, 100 * limit / median(took), " %", must, "more", note))


def _limited(report: Report, server: Server, home: Path) -> None:
    rates, refusals = [], []
    for _ in range(REPEATS):
        answer = _issue(server, home, limit=50)
        assert answer["issued"] == 500, answer  # noqa: PLR2004
        rates.append(500 / answer["seconds"])
        refusals.append(server.set().get("429", 0))
    report.add(
        Line(
            "issuing 500 badges where 50 a second are allowed: answers 429",
            max(refusals),
            must=14,
            note="the most of 5 runs",
        )
    )
    note = f"{median(rates):.1f} a second"
    report.add(Line("... and how much of 50 a second", 2 * median(rates), " %", 85, "more", note))


def _issue(server: Server, home: Path, limit: int = 0) -> dict[str, float]:
    copy = copied(home)
    server.set(latency=LATENCY, limit=limit)
    answer: dict[str, float] = json.loads(run([sys.executable, "-m", "benchmarks.alone", "issue", str(copy)]).out)
    return answer
