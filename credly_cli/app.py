"""The command `credly`: its commands at a glance."""

from collections.abc import Callable
from typing import Annotated

import typer

from credly_cli import __version__
from credly_cli.cli.environment import Environment
from credly_cli.cli.group import CredlyCommand, CredlyGroup
from credly_cli.commands.badges import badges
from credly_cli.commands.connect import connect
from credly_cli.commands.content import content
from credly_cli.commands.disconnect import disconnect
from credly_cli.commands.doctor import doctor
from credly_cli.commands.explain import explain
from credly_cli.commands.forget import forget
from credly_cli.commands.grant import grant
from credly_cli.commands.grants import grants
from credly_cli.commands.import_ import import_
from credly_cli.commands.learner_badges import learner_badges
from credly_cli.commands.learners import learners
from credly_cli.commands.link import link, unlink
from credly_cli.commands.missed import missed
from credly_cli.commands.profiles import profiles
from credly_cli.commands.report import report
from credly_cli.commands.resolve import resolve
from credly_cli.commands.retry import retry
from credly_cli.commands.sandbox import demo, sandbox
from credly_cli.commands.status import status
from credly_cli.commands.sync import sync
from credly_cli.commands.widget import widget

app = typer.Typer(
    cls=CredlyGroup,
    add_completion=True,
    rich_markup_mode=None,  # plain help is twice as fast and safe in a pipe
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    invoke_without_command=True,
)


def _say_version(environment: Environment) -> None:
    output = environment.output
    output.answer({"version": __version__}, lambda: output.stdout.write(f"credly {__version__}\n"))


@app.callback()
def credly(
    context: typer.Context, version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False
) -> None:
    """Join a learning management system to Credly: whoever completes linked content gets exactly one badge.

    Start with: credly connect, then: credly sync
    """
    if version:
        _say_version(context.obj)
        raise typer.Exit(0)
    if context.invoked_subcommand is None:
        raise typer.Exit(status(context))


_COMMANDS: dict[str, Callable[..., object]] = {
    "connect": connect,
    "sync": sync,
    "badges": badges,
    "content": content,
    "learners": learners,
    "link": link,
    "unlink": unlink,
    "grant": grant,
    "learner-badges": learner_badges,
    "widget": widget,
    "explain": explain,
    "grants": grants,
    "retry": retry,
    "resolve": resolve,
    "missed": missed,
    "import": import_,
    "status": status,
    "forget": forget,
    "doctor": doctor,
    "report": report,
    "profiles": profiles,
    "disconnect": disconnect,
    "demo": demo,
    "sandbox": sandbox,
}
for name, function in _COMMANDS.items():
    app.command(name, cls=CredlyCommand)(function)
