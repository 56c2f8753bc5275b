"""A store larger than the largest known issuer makes in a year: every command works, and looking up stays instant."""

import shutil
from pathlib import Path

from benchmarks import world
from benchmarks.measure import Server, in_turn, seconds, serving
from benchmarks.report import Line, Report
from benchmarks.stores import (
    add_content,
    add_enrollments,
    add_issued,
    add_learners,
    connected,
    credly,
    megabytes,
    workshop,
)

_LEARNERS = 1_000_000
_ENROLLMENTS = 2_000_000
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
        _look_up(report, small, home)
        add_enrollments(home, _ENROLLMENTS, _LEARNERS, 100)
        report.add(Line("size of the large store", megabytes(home / "credly.db"), " MB", note=_held()))
        _every_command(report, server, home)


def _held() -> str:
    return f"{_LEARNERS:,} learners, {_ENROLLMENTS:,} enrollments, {_ISSUED:,} issued badges"


def _look_up(report: Report, small: Path, large: Path) -> None:
    runs = in_turn(
        {
            "small": lambda: credly(small, "learner-badges", _ASKED, "--json", url=_NOWHERE),
            "large": lambda: credly(large, "learner-badges", _ASKED, "--json", url=_NOWHERE),
        },
        9,
    )
    assert all(len(took.json["badges"]) == 1 for took in runs["large"])
    ratio = seconds(runs["large"]) / seconds(runs["small"])
    note = f"{seconds(runs['large']):.3f} s against {seconds(runs['small']):.3f} s"
    what = "`learner-badges` from the store, 1,000,000 issued badges, times the same with 1,000"
    report.add(Line(what, ratio, must=1.3, note=note))


def _every_command(report: Report, server: Server, home: Path) -> None:
    for command in _COMMANDS:
        server.set()
        took = credly(home, *command, "--json", codes=(0, 3, 75))
        asked = ", ".join(f"{count} {name}" for name, count in sorted(server.set().items()) if name != "connections")
        note = f"{took.megabytes:.0f} MB" + (f"; {asked}" if asked else "")
        report.add(Line(f"`credly {' '.join(command)}` over the large store", took.seconds, " s", note=note))
