"""`credly forget`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from credly_cli.cli.environment import Environment
from credly_cli.cli.parameters import LearnerName, LockWait, Yes
from credly_cli.errors import Failure
from credly_cli.output import Output
from credly_cli.text import Command, Hint, counted

if TYPE_CHECKING:
    from credly_cli.admin.forget import Outcome


def forget(
    context: typer.Context,
    email: LearnerName,
    yes: Yes = False,
    lock_wait: LockWait = 10,
) -> None:
    """Remove a learner's personal data and pages from here, without making a second badge possible.

    Name, addresses, LMS id and progress go; what was sent is blanked. What was not sent yet is cancelled. A keyed hash
    stays, by which the learner is recognised if an import names them again: nothing is issued twice then. The learner's
    page goes from each folder that was published to. Remove the learner from the LMS and from its exports first, and
    badges in Credly. Rejected rows (*.rejects.csv), files that were written, copies of pages and backups of the store
    are not touched; log files have no addresses.

    Example: credly forget anna@example.com
    """
    from credly_cli.admin import forget as forgetting
    from credly_cli.times import utc_text

    environment: Environment = context.obj
    if not yes:
        _confirm(environment, email)
    with _nobody_publishing(environment, lock_wait), environment.writing(lock_wait) as (store, _):
        outcome = forgetting.forget(store, environment.paths, email, utc_text(environment.clock.now()))
    environment.output.answer(outcome, lambda: _show(environment.output, outcome))


@contextmanager
def _nobody_publishing(environment: Environment, lock_wait: float) -> Iterator[None]:
    """Let nobody write the learner's page meanwhile, where pages are published at all."""
    from credly_cli.store.lock import locked

    if not environment.paths.published.exists():
        yield
        return
    with locked(environment.paths.publishing_lock, lock_wait, environment.clock):
        yield


def _confirm(environment: Environment, text: str) -> None:
    """Say who is meant, and ask; the store is free meanwhile."""
    from credly_cli.admin import forget as forgetting

    with environment.reading() as store:
        found = forgetting.named(store, text)
    question = f"Forget {', '.join(found)}? What is removed from here cannot be brought back."
    if not environment.ask(question, "--yes"):
        raise Failure("declined", "Nobody was forgotten.", hint="Answer y to forget.")


def _show(output: Output, outcome: "Outcome") -> None:
    output.confirm(
        f"Forgotten. Removed: {counted(outcome.enrollments, 'enrollment')}; kept without a name:"
        f" {counted(outcome.grants, 'grant')}, {counted(outcome.issued_badges, 'issued badge')};"
        f" cancelled: {counted(outcome.cancelled, 'grant')} not sent yet.",
        "green",
    )
    if not outcome.wiped:
        output.warn(
            "Another program reads the store: copies stay in its file until that ends and credly has run again."
        )
    for folder in outcome.folders:
        failure = outcome.failures.get(folder)
        if failure is None:
            output.print(f"Pages are published to {folder}; the learner's is not among them any more.")
        else:
            command = Command("publish", str(folder))
            output.warn(Hint(f"{failure.message} The learner's page may be there until the next:", command))
    output.note(
        "Next: remove the learner from the LMS and its exports; delete pages, backups, *.rejects.csv files with them."
    )
