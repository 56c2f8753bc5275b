"""`credly config`."""

from enum import StrEnum
from typing import Annotated

import typer

from credly_cli.cli.environment import Environment
from credly_cli.cli.parameters import AsCsv
from credly_cli.config import origins
from credly_cli.errors import Exit, Failure
from credly_cli.output import Column
from credly_cli.text import Command, Hint

COLUMNS = (Column("Key", "key", whole=True), Column("Value", "value"), Column("Source", "source"))


class Action(StrEnum):
    """What to do beside listing the keys."""

    PATH = "path"
    INIT = "init"
    CHECK = "check"


def config(
    context: typer.Context,
    action: Annotated[
        Action | None, typer.Argument(help="Nothing lists every key.", metavar="[path|init|check]")
    ] = None,
    csv: AsCsv = False,
) -> None:
    """Show every key of the configuration with its value and where that comes from.

    credly config path tells where the file is, credly config init writes a commented one to begin with, and credly
    config check tells whether it can be used. Secrets are never shown.

    Example: credly config
    """
    environment: Environment = context.obj
    match action:
        case Action.PATH:
            _path(environment)
        case Action.INIT:
            _init(environment)
        case Action.CHECK:
            _check(environment)
        case None:
            _list(environment, csv=csv)


def _list(environment: Environment, *, csv: bool) -> None:
    from credly_cli.admin import configuration

    path, required = environment.paths.config, "CREDLY_CONFIG" in environment.environ
    sources = origins(path, environment.profile, required=required)
    rows = configuration.listed(environment.settings, sources, environment.environ)
    environment.output.listing(COLUMNS, rows, empty="", as_csv=csv)
    if not path.exists():
        environment.output.note(Hint(f"There is no {path} yet. To begin one:", Command("config", "init")))


def _path(environment: Environment) -> None:
    path = environment.paths.config
    environment.output.answer({"path": path}, lambda: environment.output.print(str(path)))


def _init(environment: Environment) -> None:
    from credly_cli.admin import configuration

    path, output = environment.paths.config, environment.output
    configuration.write(path)
    output.answer(
        {"path": path}, lambda: output.confirm(f"Wrote {path}, in which every key is commented out.", "green")
    )
    output.note(Hint("Edit it, then:", Command("config", "check")))


def _check(environment: Environment) -> None:
    from credly_cli.lms.files_source import check_entries
    from credly_cli.publishing.look import Look

    path, output = environment.paths.config, environment.output
    check_entries(environment.settings)
    _check_sources(environment)
    _ = Look.of(environment.settings, "", fragment=False).options  # raises for what no page can be written with
    there = path.exists()
    words = f"{path} can be used." if there else f"There is no {path}: every key has its default."
    output.answer({"path": path, "exists": there}, lambda: output.confirm(words, "green"))


def _check_sources(environment: Environment) -> None:
    """Refuse what `sync` could not read the LMS with; secrets may be elsewhere, and `doctor` asks for them."""
    from credly_cli.sync.lms import source_of

    for name in environment.settings.lms.sources:
        try:
            source_of(name, environment.source_context())
        except Failure as failure:
            if failure.exit_code is Exit.CONFIG:
                raise
