"""`credly profiles`."""

import typer

from credly_cli.cli.environment import Environment
from credly_cli.output import Column

COLUMNS = (
    Column("Profile", "name"),
    Column("Connected", "connected"),
    Column("Organization", "organization"),
    Column("In use", "current"),
)


def profiles(context: typer.Context) -> None:
    """List the profiles on this machine, and which is in use.

    A profile is a connection, a store and a token of its own: credly --profile sandbox connect --sandbox

    Example: credly profiles
    """
    from credly_cli.admin.profiles import listed

    environment: Environment = context.obj
    rows = listed(environment.paths, environment.profile)
    environment.output.listing(COLUMNS, rows, empty="There are no profiles yet.")
