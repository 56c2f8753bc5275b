"""A store larger than the largest known issuer makes in a year: every command works, and looking up stays instant."""

import shutil
from pathlib import Path

from benchmarks import world
from benchmarks.measure import Server, in_turn, processor, serving
from benchmarks.report import Line, Report
from benchmarks.stores import (
    add_content,
    add_enrollments,
    add_grants,
    add_issued,
    add_learners,
    connected,
    credly,
    megabytes,
    workshop,
)

_LEARNERS = 1_000_000
_ENROLLMENTS = 2 * _LEARNERS
_ISSUED = 1_000_000
_NOWHERE = "http://127.0.0.1:9"  # nobody answers there: what the store knows is shown
_ASKED = world.email(700)

_COMMANDS: tuple[tuple[str, ...], ...] = (
    ("status",),
    ("badges",),
    ("content",),
    ("learners", "sample999999"),
    ("learner-badges", _ASKED),
    ("widget", _ASKED),
    ("explain", _ASKED),
    ("grants",),
    ("missed", world.template_id(1)),
    ("link", world.template_id(60), "course-60"),
    ("unlink", world.template_id(60)),
    ("report",),
    ("doctor",),
    ("sync",),
    ("sync",),
    ("sync", "--dry-run"),
)


def measure(report: Report) -> None:
    """Measure looking a learner up in small and large stores, then every command over the large one."""
    with serving(templates=500, issued=_ISSUED) as server, workshop() as folder:
        home = connected(folder / "large", server)
        credly(home, "sync", "--only", "badges")
        small = Path(shutil.copytree(home, folder / "small"))
        for place, count in ((small, 1000), (home, _ISSUED)):
            add_content(place, 100, linked=50)
            add_learners(place, count)
            add_issued(place, count)
            add_enrollments(place, 2 * count, count, 100)
            add_grants(place, count)
        _look_up(report, small, home)
        _find(report, home)
        report.add(Line("size of the large store", megabytes(home / "credly.db"), " MB", note=_held()))
        _every_command(report, server, home)


def _held() -> str:
    return f"{_LEARNERS:,} learners, {_ENROLLMENTS:,} enrollments, {_ISSUED:,} issued badges"


def _look_up(report: Report, small: Path, large: Path) -> None:
    """Measure processor time, which waiting for Credly and other programs do not change."""
    for command in ("learner-badges", "explain", "widget"):
        for name, asked in (("an address", _ASKED), ("an id", "L700")):
            line = (command, asked, "--json")
            runs = in_turn(
                {
                    "small": lambda line=line: credly(small, *line, url=_NOWHERE),  # type: ignore[misc]
                    "large": lambda line=line: credly(large, *line, url=_NOWHERE),  # type: ignore[misc]
                },
                9,
            )
            assert runs["small"][0].json.keys() == runs["large"][0].json.keys()
            most, least = processor(runs["large"]), processor(runs["small"])
            what = f"`{command}` by {name} from the store, 1,000,000 learners, times the same with 1,000"
            report.add(Line(what, most / least, must=1.3, note=f"{most:.3f} s against {least:.3f} s of processor time"))


def _find(report: Report, large: Path) -> None:
    """Measure finding learners by words, which looks through all of them, and naming one by the full name."""
    for words in (("muller999996", "chloe"), ("sample999997",), ("nobody", "anywhere")):
        took = processor([credly(large, "learners", *words, "--json") for _ in range(5)])
        what = f"`learners {' '.join(words)}` of 1,000,000 learners"
        report.add(Line(what, took, " s", must=1.5, note="processor time"))
    took = processor([credly(large, "explain", "Robin Sample701", "--json") for _ in range(5)])
    report.add(Line("`explain` by full name of 1,000,000 learners", took, " s", note="processor time"))


def _every_command(report: Report, server: Server, home: Path) -> None:
    for command in _COMMANDS:
        server.set()
        took = credly(home, *command, "--json", codes=(0, 3, 75))
        asked = ", ".join(f"{count} {name}" for name, count in sorted(server.set().items()) if name != "connections")
        note = f"{took.megabytes:.0f} MB" + (f"; {asked}" if asked else "")
        report.add(Line(f"`credly {' '.join(command)}` over the large store", took.seconds, " s", note=note))
