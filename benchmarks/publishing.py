"""A page for every learner: the first time, when nothing changed, and when a few did; no request is sent."""

import json
from collections.abc import Sequence
from pathlib import Path

from credly_cli.store.database import Store

from benchmarks import world
from benchmarks.measure import Took, in_turn, median
from benchmarks.report import Line, Report
from benchmarks.stores import LINKED_FROM, add_content, add_earned, add_learners, credly, workshop

_TEMPLATES = 100
_LINKED = 8
_EACH = 5  # badges a learner
_ABOUT = "Knows what the course teaches, and how to put it into practice. " * 5
_CHANGED = 100
_SMALL, _MIDDLE, _LARGE = 1_000, 10_000, 100_000


def measure(report: Report) -> None:
    """Publish the first time, again, and after some changes, from small and large stores."""
    with workshop() as folder:
        small, middle, large = (_school(folder / f"{count}", count) for count in (_SMALL, _MIDDLE, _LARGE))
        report.add(_first(_publish(middle)))
        used = {count: _publish(home).megabytes for count, home in ((_SMALL, small), (_LARGE, large))}
        note = f"{used[_LARGE]:.0f} MB against {used[_SMALL]:.0f} MB"
        what = f"... memory, the first time of {_LARGE:,} learners, times that of {_SMALL:,}"
        report.add(Line(what, used[_LARGE] / used[_SMALL], must=1.2, note=note))
        report.add(_nothing_changed(middle, _MIDDLE))
        report.add(_nothing_changed(large, _LARGE))
        report.add(_some_changed(large))


def _school(home: Path, learners: int) -> Path:
    """Make a connected store of learners who have earned, and a style sheet so that pages are small."""
    home.mkdir(mode=0o700)
    (home / "config.toml").write_text('[publish]\nstyle = "own.css"\n')
    (home / "own.css").write_text(".credly-badges { --credly-accent: teal }\n")
    with Store.open(home / "credly.db") as store, store.transaction():
        rows = [{**world.template(number), "description": _ABOUT} for number in range(_TEMPLATES)]
        store.connection.executemany(
            "INSERT INTO badges (id, name, state, url, image_url, allow_duplicates, listed, fingerprint, raw)"
            " VALUES (?, ?, 'active', ?, ?, 0, 1, '', ?)",
            [(row["id"], row["name"], row["url"], row["image_url"], json.dumps(row)) for row in rows],
        )
        store.change(
            "INSERT INTO connection (id, organization_id, organization_name, api_url, api_url_given, token_kind,"
            " connected_at) VALUES (1, ?, 'Benchmark College', 'https://api.example/v1', 0, 'stored', ?)",
            (world.ORGANIZATION, LINKED_FROM),
        )
    add_content(home, _TEMPLATES, linked=_LINKED)
    add_learners(home, learners)
    add_earned(home, learners, _EACH, _LINKED)
    return home


def _publish(home: Path) -> Took:
    return credly(home, "publish", str(home / "site"), "--json")


def _first(took: Took) -> Line:
    note = f"{took.processor:.1f} s of processor, {took.seconds:.1f} s in all, {took.megabytes:.0f} MB"
    what = f"`publish`, the first time of {_MIDDLE:,} learners with {_MIDDLE * _EACH:,} badges, a page"
    return Line(what, took.processor / took.json["written"] * 1000, " ms", must=1.5, note=note)


def _nothing_changed(home: Path, learners: int) -> Line:
    runs = in_turn({"publish": lambda: _publish(home), "status": lambda: credly(home, "status", "--json")}, 9)
    assert all(took.json["written"] == 0 for took in runs["publish"])
    publish, status = (_processor(runs[name]) for name in ("publish", "status"))
    note = f"{publish:.3f} s of processor against {status:.3f} s"
    return Line(
        f"... where nothing changed, {learners:,} learners, times `status`", publish / status, must=1.5, note=note
    )


def _some_changed(home: Path) -> Line:
    """Let some learners go on, and publish; several times."""
    runs = [_after(home, number) for number in range(5)]
    assert all(took.json["written"] == _CHANGED for took in runs)
    seconds = _processor(runs)
    note = f"{median([took.seconds for took in runs]):.2f} s in all, {runs[0].megabytes:.0f} MB"
    return Line(f"... where {_CHANGED} of {_LARGE:,} learners changed", seconds, " s", must=2, note=note)


def _after(home: Path, number: int) -> Took:
    _go_on(home, number)
    return _publish(home)


def _go_on(home: Path, number: int) -> None:
    with Store.open(home / "credly.db") as store, store.transaction():
        store.change(
            "UPDATE enrollments SET progress = ? WHERE completed_at IS NULL AND learner % ? = 1",
            (50 + number, _LARGE // _CHANGED),
        )


def _processor(runs: Sequence[Took]) -> float:
    return median([took.processor for took in runs])
