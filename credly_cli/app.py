"""The command `credly`: its commands at a glance."""

import json
from collections.abc import Callable
from typing import Annotated

import typer

from credly_cli import __version__
from credly_cli.cli.environment import Environment
from credly_cli.cli.group import CredlyCommand, CredlyGroup
from credly_cli.commands.badges import badges
from credly_cli.commands.config import config
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
from credly_cli.commands.publish import publish
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


def _say_schema(environment: Environment) -> None:
    from credly_cli.cli import answers  # noqa: PLC0415 - for who asks

    environment.output.stdout.write(json.dumps(answers.schema(), indent=2) + "\n")


@app.callback()
def credly(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", "-V", help="Print the version.")] = False,
    json_schema: Annotated[
        bool, typer.Option("--json-schema", help="Print the JSON schema of every JSON answer.")
    ] = False,
) -> None:
    """Join a learning management system to Credly: whoever completes linked content gets exactly one badge.

    Start with: credly connect, then: credly sync
    """
    if version:
        _say_version(context.obj)
        raise typer.Exit(0)
    if json_schema:
        _say_schema(context.obj)
        raise typer.Exit(0)
    if context.invoked_subcommand is None:
        raise typer.Exit(status(context))


# The commands by what they are for, each with a summary that fits a terminal of 80 columns.
_COMMANDS: dict[str, dict[str, tuple[Callable[..., object], str]]] = {
    "Every day": {
        "sync": (sync, "Bring all up to date, then issue what was earned."),
        "status": (status, "Say where things stand, at once and offline."),
        "import": (import_, "Take a file of the LMS into the store."),
        "link": (link, "Link a badge to content: who completes it earns it."),
        "unlink": (unlink, "End the link of a badge: nobody earns it any more."),
        "grant": (grant, "Issue a badge by hand to who is enrolled."),
    },
    "Look up": {
        "badges": (badges, "List the badges, and the content each is linked to."),
        "content": (content, "List the content, with its sessions and badges."),
        "learners": (learners, "Find learners by words of name, address or id."),
        "learner-badges": (learner_badges, "List every badge issued to a learner."),
        "widget": (widget, "Show a learner's badges: in progress, to come, earned."),
        "explain": (explain, "Explain why a learner has a badge, or has not."),
        "grants": (grants, "List the grants, and what became of each."),
        "missed": (missed, "List the completions that earned nothing, and why."),
        "publish": (publish, "Write a page for every learner, for your site."),
        "report": (report, "Report what was issued, accepted, failed, expires."),
    },
    "Repair": {
        "doctor": (doctor, "Check everything that can go wrong, online."),
        "retry": (retry, "Plan failed and held grants again."),
        "resolve": (resolve, "Say what you found out about a grant."),
        "forget": (forget, "Remove a learner's personal data from here."),
    },
    "Set up": {
        "connect": (connect, "Connect to Credly, with a token or as a client."),
        "disconnect": (disconnect, "Disconnect from Credly; links are kept."),
        "config": (config, "Show the configuration, and where it comes from."),
        "profiles": (profiles, "List the profiles, and which is in use."),
        "demo": (demo, "Show the whole story on this machine."),
        "sandbox": (sandbox, "Serve a stand-in of Credly's API, to try things."),
    },
}
# what should not be there it refuses itself: that may be a token, which is not to be shown
_SETTINGS = {"connect": {"allow_extra_args": True}}
for commands in _COMMANDS.values():
    for name, (function, summary) in commands.items():
        app.command(name, cls=CredlyCommand, short_help=summary, context_settings=_SETTINGS.get(name))(function)
CredlyGroup.groups.update({title: tuple(commands) for title, commands in _COMMANDS.items()})
