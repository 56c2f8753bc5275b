"""`credly publish`."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from credly_cli.cli.environment import Environment
from credly_cli.cli.parameters import LockWait, no_stdout
from credly_cli.errors import Failure
from credly_cli.text import counted, is_web_address

if TYPE_CHECKING:
    from credly_cli.output import Output
    from credly_cli.publishing.publish import Result


def publish(
    context: typer.Context,
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="The folder that your site serves.", callback=no_stdout)
    ],
    url: Annotated[
        str | None,
        typer.Option("--url", metavar="BASE", help="The address of that folder, for the addresses in the manifest."),
    ] = None,
    fragment: Annotated[
        bool, typer.Option("--fragment", help="Write pages without <html>, for a site with a template of its own.")
    ] = False,
    manifest: Annotated[
        Path | None,
        typer.Option(
            "--manifest",
            metavar="FILE",
            help="Where to write whose page is which, instead of pages.csv.",
            callback=no_stdout,
        ),
    ] = None,
    rotate: Annotated[bool, typer.Option("--rotate", help="Give every page a new name.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Remove all pages from the folder.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    lock_wait: LockWait = 10,
) -> None:
    """Write a page for every learner, with their badges, into a folder that your site serves.

    The store alone is read, as the last sync left it; run it after each. Only pages that changed are written, and those
    of learners who are gone are removed; other files in the folder are not touched. Nobody can guess a page's address:
    the manifest (CSV: email, learner_id, url, changed_at) tells the LMS whose page is which, so keep it to yourselves.

    Example: credly publish /var/www/badges --url https://learn.example.com/badges
    """
    environment: Environment = context.obj
    if remove:
        _refuse(("--url", url), ("--fragment", fragment), ("--manifest", manifest), ("--rotate", rotate))
        result = _remove(environment, folder, lock_wait, dry_run=dry_run)
        environment.output.answer(result, lambda: _show_removed(environment.output, folder, result, dry_run=dry_run))
        return
    if url is not None:
        _require_web_address(url)
    result = _publish(environment, folder, url, manifest, lock_wait, fragment=fragment, rotate=rotate, dry_run=dry_run)
    if result.strangers:
        raise _in_the_way(folder, result.strangers)
    environment.output.answer(result, lambda: _show(environment.output, folder, result, dry_run=dry_run))


def _refuse(*options: tuple[str, object]) -> None:
    for name, value in options:
        if value:
            raise Failure("usage", f"--remove does not go with {name}.", hint="credly publish --help tells of each.")


def _require_web_address(url: str) -> None:
    if not is_web_address(url):
        raise Failure(
            "usage",
            f"{url!r} is not the address of a folder on the web.",
            hint="Write it like --url https://learn.example.com/badges",
        )


def _publish(
    environment: Environment,
    folder: Path,
    url: str | None,
    manifest: Path | None,
    lock_wait: float,
    *,
    fragment: bool,
    rotate: bool,
    dry_run: bool,
) -> "Result":
    from credly_cli.publishing import publish as publishing
    from credly_cli.publishing.folder import resolved
    from credly_cli.publishing.look import Look
    from credly_cli.store.connection import require_connected
    from credly_cli.store.published import Published
    from credly_cli.times import utc_text

    settings, paths = environment.settings, environment.paths
    with environment.reading() as store:
        connection = require_connected(store)
        url = url or settings.publish.url
        look = Look.of(settings, connection.organization_name, fragment=fragment, url=url)
        path = resolved(folder)
        _require_apart(path, resolved(paths.store.parent))
        with _alone(environment, lock_wait, dry_run=dry_run):
            job = publishing.Job(
                path, publishing.key_of(paths.pages_key, rotate=rotate, dry_run=dry_run), look,
                url, (manifest or paths.pages_manifest).absolute(),
                utc_text(environment.clock.now()), settings.grants.brake, dry_run,
            )  # fmt: skip
            opened = Published.rehearsed if dry_run else Published.open
            with opened(paths.published) as published, environment.output.progress("Pages") as progress:
                context = publishing.Context(store, published, environment.interruption, progress)
                return publishing.publish(job, context)


@contextmanager
def _alone(environment: Environment, lock_wait: float, *, dry_run: bool) -> Iterator[None]:
    """Let nobody else publish meanwhile; a sync may."""
    from credly_cli.store.lock import locked

    if dry_run:
        yield
        return
    with locked(environment.paths.publishing_lock, lock_wait, environment.clock):
        yield


def _require_apart(folder: Path, home: Path) -> None:
    """Refuse to publish the store itself."""
    if folder == home or folder in home.parents:
        raise Failure(
            "usage",
            f"{folder} holds the store and its key, which nobody may read.",
            hint="Name a folder of its own for the pages.",
        )


def _remove(environment: Environment, folder: Path, lock_wait: float, *, dry_run: bool) -> "Result":
    from credly_cli.publishing.folder import resolved
    from credly_cli.publishing.remove import remove_all
    from credly_cli.store.published import Published

    there = environment.paths.published.exists()
    with (
        _alone(environment, lock_wait, dry_run=dry_run or not there),
        Published.existing(environment.paths.published) as published,
    ):
        return remove_all(resolved(folder), published, dry_run=dry_run)


def _in_the_way(folder: Path, names: list[str]) -> Failure:
    files = "A file in the folder has" if len(names) == 1 else f"{len(names):,} files in the folder have"
    return Failure(
        "file-exists",
        f"{files} the name of a page and {'is' if len(names) == 1 else 'are'} none of ours: {folder / names[0]}.",
        hint="All other pages were written. Move it away, or publish to another folder.",
    )


def _show(output: "Output", folder: Path, result: "Result", *, dry_run: bool) -> None:
    changes = f"{result.written:,} written, {result.unchanged:,} unchanged, {result.removed:,} removed"
    if dry_run:
        output.print(f"{folder} would have {counted(result.pages, 'page')}: {changes}. Nothing was done.")
        return
    output.confirm(f"{folder} has {counted(result.pages, 'page')}: {changes}.", "green")
    output.note(f"Whose page is which: {result.manifest}")


def _show_removed(output: "Output", folder: Path, result: "Result", *, dry_run: bool) -> None:
    pages = counted(result.removed, "page")
    if dry_run:
        output.print(f"{pages} would be removed from {folder}. Nothing was done.")
        return
    output.confirm(f"Removed {pages} from {folder}.", "green")
