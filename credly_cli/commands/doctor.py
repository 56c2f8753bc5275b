"""`credly doctor`."""

import sqlite3
from contextlib import suppress
from typing import TYPE_CHECKING

import typer

from credly_cli.cli.environment import Environment
from credly_cli.errors import worst
from credly_cli.output import Column, Output

if TYPE_CHECKING:
    from credly_cli.admin.doctor import Check

COLUMNS = (
    Column("Check", "name"),
    Column("", "result", colours={"passed": "green", "warning": "yellow", "FAILED": "red"}),
    Column("", "message"),
    Column("What to do", "hint"),
)


def doctor(context: typer.Context) -> int:
    """Check everything that can go wrong: token, clock, API, LMS source, store, permissions, what waits for a person.

    It asks Credly and changes nothing. Each check passes, warns, or fails with the way out; the exit code is the
    worst one's, and a warning is none. With -q only what failed is shown.

    Example: credly doctor
    """
    environment: Environment = context.obj
    checks = _checks(environment)
    environment.output.answer({"checks": checks}, lambda: _show(environment.output, checks))
    return int(worst(check.exit_code for check in checks if not check.ok))


def _show(output: Output, checks: "list[Check]") -> None:
    shown = [check for check in checks if not (check.ok and output.quiet)]
    rows = [
        {
            "name": check.name,
            "result": "FAILED" if not check.ok else "warning" if check.warning else "passed",
            "message": check.message,
            "hint": check.hint and output.words(check.hint),
        }
        for check in shown
    ]
    output.listing(COLUMNS, rows, empty="")


def _checks(environment: Environment) -> "list[Check]":
    from credly_cli.admin import doctor as doctoring
    from credly_cli.admin import machine_checks
    from credly_cli.errors import Exit
    from credly_cli.store import overview

    paths, settings = environment.paths, environment.settings
    checks = [
        machine_checks.permissions(paths) if paths.store.parent.exists() else _nothing_yet(),
        machine_checks.file_system(paths.store.parent),
        machine_checks.room(paths.store.parent),
        machine_checks.sqlite(),
        machine_checks.store(paths.store),
        machine_checks.lock(paths.lock),
        *_lms(environment),
    ]
    with suppress(sqlite3.Error):  # what is wrong with the store is among the checks already
        if all(check.ok for check in checks if check.name == "store"):
            with environment.reading() as store:
                return [
                    doctoring.connection(store),
                    *doctoring.online(store, settings, environment.network()),
                    *checks,
                    doctoring.learner_ids(store),
                    doctoring.last_sync(store, environment.clock.now()),
                    doctoring.waiting_for_person(overview.read(paths.store).waiting_for_person),
                ]
    unread = ("connection", "token", "last-sync", "waiting")
    return checks + [doctoring.failed(n, "Not checked: the store.", None, Exit.STORE) for n in unread]


def _nothing_yet() -> "Check":
    from credly_cli.admin.doctor import passed

    return passed("permissions", "There are no files yet.")


def _lms(environment: Environment) -> "list[Check]":
    """Check each source: the first that does not answer, else all of them, and what more one tells of itself."""
    from credly_cli.admin import doctor as doctoring

    sources = environment.settings.lms.sources
    if not sources:
        return [doctoring.passed("lms", "No LMS source is configured; credly import takes files by hand.")]
    found = [check for name in sources for check in _lms_source(environment, name)]
    lms_checks = [check for check in found if check.name == "lms"]
    failed = next((check for check in lms_checks if not check.ok), None)
    whole = failed or doctoring.passed("lms", " ".join(check.message for check in lms_checks))
    return [whole, *(check for check in found if check.name != "lms")]


def _lms_source(environment: Environment, name: str) -> "list[Check]":
    from credly_cli.admin import doctor as doctoring
    from credly_cli.admin import machine_checks

    if name == "files":
        return [machine_checks.lms_files(environment.settings)]
    if name == "xapi":
        return doctoring.record_store(environment.source_context())
    found = machine_checks.thought_industries(environment.settings, environment.environ)
    return [doctoring.thought_industries(environment.source_context(), found) if found.ok else found]
