"""`credly sync`."""

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from credly_cli.cli.completion import one_of
from credly_cli.cli.environment import Environment
from credly_cli.cli.parameters import LockWait, MaxSeconds, no_stdout
from credly_cli.errors import Exit, Failure
from credly_cli.output import Column, Output
from credly_cli.progress import Progress
from credly_cli.text import Command, Hint, counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from credly_cli.admin.run_log import RunLog
    from credly_cli.sync.run import Run, Step

_LOG = logging.getLogger(__name__)
_STEPS = one_of("badges", "lms", "issued", "grants")
_FILES = 20  # of which it is told what was understood
PLAN = (
    Column("Learner", "email", whole=True),
    Column("Badge", "badge"),
    Column("Content", "content"),
    Column("Completed", "completed_at", kind="time"),
    Column("Waits until", "waits_until", kind="time"),
)
_OF_GRANTS = ("grant-failed", "grant-held", "completion-denied")
_WAYS = 5  # out of as many problems are told
_TITLES = {"badges": "Badges", "lms": "LMS data", "issued": "Issued badges", "grants": "Grants"}


def sync(
    context: typer.Context,
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only", metavar="STEP", help="Only badges, lms, issued or grants; repeatable.", autocompletion=_STEPS
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done, change nothing.")] = False,
    full: Annotated[bool, typer.Option("--full", help="Read everything anew, not only what is new.")] = False,
    allow_shrink: Annotated[
        bool, typer.Option("--allow-shrink", help="Remove badges even when most of the list is gone.")
    ] = False,
    allow_many: Annotated[
        bool, typer.Option("--allow-many", help="Issue however many badges of one link, beyond grants.brake.")
    ] = False,
    max_seconds: MaxSeconds = None,
    lock_wait: LockWait = 10,
    log_file: Annotated[
        Path | None,
        typer.Option(
            "--log-file", metavar="FILE", help="Add what happens to a file, in JSON lines.", callback=no_stdout
        ),
    ] = None,
) -> int:
    """Bring badges, LMS data and issued badges up to date, then issue a badge for each completion that counts.

    This is the command for cron. It prints nothing with -q when all went well.

    Example: credly sync -q
    """
    environment: Environment = context.obj
    run = _run(
        environment,
        _steps(only),
        lock_wait,
        max_seconds,
        None if dry_run else log_file,
        dry_run=dry_run,
        full=full,
        allow_shrink=allow_shrink,
        allow_many=allow_many,
    )
    environment.output.answer(run, lambda: _render(environment, run))
    return int(run.exit_code)


def _run(
    environment: Environment,
    steps: "Sequence[Step]",
    lock_wait: float,
    max_seconds: float | None,
    log_file: Path | None,
    *,
    dry_run: bool,
    **how: bool,
) -> "Run":
    """Run with everything around it: log, lock, store, Credly, the progress bar and what may interrupt it."""
    from credly_cli.admin.run_log import recording
    from credly_cli.connection import connect
    from credly_cli.store import runs

    with (
        _telling_unsaved(environment.output),
        recording(log_file, environment.clock) as log,
        environment.writing(lock_wait, rehearse=dry_run) as (store, lock),
        environment.interruption.awaited(),
        environment.output.progress("Connecting") as progress,
    ):
        if log_file is not None:
            runs.note(store, "log", log_file)
        known, client = connect.connected_client(store, environment.settings, environment.network(max_seconds))
        client.progress = progress
        is_asked = any(step != "lms" for step in steps)
        if not environment.output.verbose:  # -v tells each request under the step that it is of
            client.begin_reading(organization=is_asked, badges="badges" in steps, issued="issued" in steps)
        from credly_cli.store import grants  # while Credly answers: all that a run needs takes as long to import
        from credly_cli.sync.run import Synchronisation, SyncOptions

        if is_asked:
            _LOG.info("Step: Connecting")
            connect.require_own_organization(known, client)
        run = Synchronisation(
            store,
            client,
            environment.clock,
            known,
            environment.settings,
            lock,
            SyncOptions(steps, dry_run=dry_run, interruption=environment.interruption, **how),
            environment.source_context(),
            environment.paths.state,
            on_step=_announcing(log, progress),
        ).run()
        lists = {"badges": asdict(run.badges), "lms": run.lms, "issued_badges": asdict(run.issued_badges)}
        for report in run.files:
            log.file(report.facts())
        log.grants(lambda: grants.moved_since(store, run.started_at))
        counts = {**lists, "grants": asdict(run.grants)}
        log.ended(run.status, run.exit_code, run.problems, counts)
    return run


def _announcing(log: "RunLog", progress: Progress) -> "Callable[[Step], None]":
    def begun(step: "Step") -> None:
        log.step(step)
        progress.step(_TITLES[step])
        _LOG.info("Step: %s", _TITLES[step])

    return begun


@contextmanager
def _telling_unsaved(output: Output) -> Iterator[None]:
    """Tell what Credly answered and the store could not keep, as JSON lines, before the failure itself."""
    try:
        yield
    except Failure as failure:
        from credly_cli.issuing.send import UnsavedError

        for answer in failure.answers if isinstance(failure, UnsavedError) else ():
            output.record(answer)
        raise


def _steps(only: Sequence[str] | None) -> "Sequence[Step]":
    for step in only or ():
        if step not in _TITLES:
            raise Failure("usage", f"There is no step {step!r}.", hint=f"The steps are {', '.join(_TITLES)}.")
    return [cast("Step", step) for step in only or _TITLES]


def _show_missed(environment: Environment) -> None:
    """Say how many completions of linked content earned nothing, where nothing was granted."""
    from credly_cli.reports.missed import missed

    with environment.reading() as store:
        number = len(missed(store))
    if number:
        message = f"{counted(number, 'completion')} of linked content earned nothing. To see why:"
        environment.output.note(Hint(message, Command("missed")))


def _render(environment: Environment, run: "Run") -> None:
    output = environment.output
    if output.quiet:
        if run.exit_code is not Exit.DONE:
            output.line(f"credly sync: {_summary(run)}", _way_out(run))
        return
    _show_counts(output, run)
    _show_plan(output, run)
    _show_problems(output, run)
    _show_next(environment, run)


def _show_problems(output: Output, run: "Run") -> None:
    for problem in run.problems[:20]:
        output.note(f"{problem.email}: {problem.message}" if problem.email else problem.message)
    if len(run.problems) > 20:  # noqa: PLR2004
        output.note(f"... and {len(run.problems) - 20:,} more.")
    if run.uncertain_left:
        output.note(_waiting(run))
    reported = {problem.sentence for problem in run.problems}
    for warning in run.warnings:
        if warning not in reported:
            output.warn(warning)


def _show_next(environment: Environment, run: "Run") -> None:
    output = environment.output
    if run.tells_of("grants") and not any(asdict(run.grants).values()):
        _show_missed(environment)
    if run.grants.revoked:
        listed, why = Command("grants", "--state", "issued"), Command("explain", "LEARNER")
        output.note(Hint("To see what was revoked:", listed, ";", why, "tells why."))
    for hint in _ways_out(run) or _next(environment, run):
        output.note(hint)


def _show_plan(output: Output, run: "Run") -> None:
    """Show what would go out: counts per badge and content, then each grant (R32)."""
    if not (run.dry_run and run.tells_of("grants")):
        return
    for (badge, content), number in Counter((one.badge, one.content) for one in run.plan).items():
        _say(output, run, f"In the plan: {badge.name}, for {content.title}: {counted(number, 'badge')}.")
    output.listing(PLAN, run.plan, empty="Nothing is planned.")


def _say(output: Output, run: "Run", sentence: str, colour: str | None = None) -> None:
    """Say a count, beside the rows where a pipe reads the plan."""
    if run.dry_run and not output.stdout.isatty():
        output.note(sentence)
    else:
        output.confirm(sentence, colour)


def _show_counts(output: Output, run: "Run") -> None:
    """Speak of the steps that were run, and of no other (R11)."""
    if run.dry_run:
        _say(output, run, "This is a dry run: nothing was changed.")
    if run.tells_of("badges"):
        _say(output, run, f"Badges: {_counts(asdict(run.badges))}.")
    for entry in run.unlinked:
        _say(output, run, f"Unlinked: {entry.badge.name} from {entry.content.title}. {entry.reason}")
    _show_lms(output, run)
    if run.tells_of("issued"):
        _say(output, run, f"Issued badges: {_counts(asdict(run.issued_badges))}.")
    if run.tells_of("grants"):
        _say(
            output, run, f"Grants: {_counts(asdict(run.grants))}.", "green" if run.exit_code is Exit.DONE else "yellow"
        )


def _show_lms(output: Output, run: "Run") -> None:
    for kind, counts in run.lms.items():
        if counts.get("read"):
            _say(output, run, f"{kind.capitalize()}: {_counts(counts)}.")
    if "lms" in run.worked and not any(counts.get("read") for counts in run.lms.values()):
        _say(output, run, "LMS data: nothing new.")
    elif run.whole == {"lms"} and not run.worked:
        read = Command("import", "KIND", "FILE")
        output.note(Hint("No source is named under [lms] in the configuration. To take files by hand:", read))
    for report in run.files[:_FILES]:
        for sentence in report.sentences():
            output.note(f"{Path(report.file).name}: {sentence}")


def _counts(counts: dict[str, int]) -> str:
    parts = [f"{number:,} {name.replace('_', ' ')}" for name, number in counts.items() if number and name != "read"]
    return ", ".join(parts) or "none"


def _waiting(run: "Run") -> str:
    they = counted(run.uncertain_left, "grant is uncertain and waits", "grants are uncertain and wait")
    return f"{they} for the next sync."


def _summary(run: "Run") -> str:
    """Say in one line what cron's reader must know."""
    parts = [problem.message for problem in run.problems[:1]]
    if len(run.problems) > 1:
        parts.append(f"And {counted(len(run.problems) - 1, 'more problem')}.")
    if run.uncertain_left:
        parts.append(_waiting(run))
    return " ".join(parts)


def _way_out(run: "Run") -> Hint | None:
    """Return what to do about the problem that is told first."""
    if run.problems and run.problems[0].hint:
        return run.problems[0].hint
    return next(iter(_ways_out(run)), None)


def _ways_out(run: "Run") -> list[Hint]:
    """Return what to do about what went wrong, each once; grants that wait are told together."""
    alone = [problem.hint for problem in run.problems if problem.hint and problem.code not in _OF_GRANTS]
    hints = list(dict.fromkeys(alone))[:_WAYS]
    if run.grants.failed or run.grants.held:
        hints.append(Hint("Next:", Command("grants", "--state", "failed", "--state", "held")))
    elif not hints and run.exit_code is Exit.TRY_LATER:
        hints.append(Hint("Next: run", Command("sync"), "again later."))
    return hints


def _next(environment: Environment, run: "Run") -> list[Hint]:
    """Return what comes after a run in which all went well, if anything does."""
    from credly_cli.admin import status
    from credly_cli.store import overview

    if run.dry_run:
        return [Hint("Next:", Command("sync"))] if run.grants.planned else []
    step = status.next_step(overview.read(environment.paths.store), environment.paths.config, enabled=True)
    return [step] if step else []
