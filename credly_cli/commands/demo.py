"""`credly demo`."""

from pathlib import Path
from typing import Annotated

import typer

from credly_cli.cli.environment import Environment
from credly_cli.errors import Exit, Failure


def demo(
    context: typer.Context,
    keep: Annotated[
        Path | None, typer.Option("--keep", metavar="DIR", help="Leave the demo's home in this folder.")
    ] = None,
) -> int:
    """Show the whole story on this machine: real commands, their real output, no account and no network.

    Example: credly demo --keep ./demo-home
    """
    from credly_cli.sandbox.demo import Story

    environment: Environment = context.obj
    output = environment.output
    if keep is not None and keep.exists() and any(keep.iterdir()):
        raise Failure("usage", f"{keep} is not empty.", hint="Name a folder that is not there yet.")
    story = Story(output)
    story.tell(keep)
    output.answer({"steps": story.steps, "home": keep}, lambda: None)  # which was told step by step
    return int(Exit.DONE if story.went_well else Exit.UNEXPECTED)
