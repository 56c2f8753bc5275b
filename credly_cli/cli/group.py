"""The command line's own rules: options on both sides of the verb; failures become messages and exit codes here."""

import os
import sqlite3
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar, Literal, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption

from credly_cli.cli import completion
from credly_cli.cli.environment import Environment
from credly_cli.errors import Exit, Failure
from credly_cli.output import Output
from credly_cli.text import Command, Hint
from credly_cli.token import without_tokens

_COLOURS = completion.one_of("auto", "always", "never")
_ALWAYS = ("status", "config", "profiles", "disconnect")
_OF_A_FULL_DISK = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)
_OF_NAMES = ("usage", "unknown-badge", "unknown-content", "unknown-learner")
_FOR_CRON = "sync"  # its one line begins with its name


class CredlyCommand(TyperCommand):
    """A command that takes the options that every command takes."""

    def __init__(self, *args: Any, params: list[Any] | None = None, **options: Any) -> None:
        super().__init__(*args, params=[*(params or []), *_shared_options()], **options)

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Read the command's own arguments."""
        if info_name == _FOR_CRON and parent is not None and parent.obj is not None:
            parent.obj.output.unattended = f"credly {info_name}"
        return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: Any) -> Any:
        """Run the command, unless the configuration switches the integration off (R6)."""
        if ctx.info_name not in _ALWAYS:
            ctx.obj.require_enabled()
        return super().invoke(ctx)


DOCUMENTS = "man credly, and docs/README.md in the source; credly COMMAND --help tells of a command"


class CredlyGroup(TyperGroup):
    """The command `credly` itself."""

    groups: ClassVar[dict[str, tuple[str, ...]]] = {}  # of commands, by title

    def __init__(self, *args: Any, params: list[Any] | None = None, **options: Any) -> None:
        super().__init__(*args, params=[*(params or []), *_shared_options()], **options)

    def main(  # type: ignore[override]  # the other parameters go through `extra`
        self, args: Sequence[str] | None = None, *, standalone_mode: bool = True, **extra: Any
    ) -> Any:
        """Run the command; ends the process with its exit code, or returns it when not standing alone."""
        arguments = list(sys.argv[1:] if args is None else args)
        if arguments[:1] == ["help"]:
            arguments = [*arguments[1:2], "--help"]
        environment: Environment = extra.setdefault("obj", None) or Environment(Output())
        extra["obj"] = environment
        environment.output.as_json = "--json" in arguments  # usage errors answer in JSON too
        environment.output.quiet = "-q" in arguments or "--quiet" in arguments
        environment.output.colour = _named_colour(arguments)
        if standalone_mode:
            environment.interruption.install()
        with completion.whole_words(os.environ), environment.output.logging():
            code = self._run(arguments, environment, extra)
        if standalone_mode:
            _end(code, environment)
        return code

    def _run(self, arguments: list[str], environment: Environment, extra: dict[str, Any]) -> int:
        try:
            code = int(super().main(arguments, standalone_mode=False, **extra) or Exit.DONE)
            environment.output.stdout.flush()
        except BrokenPipeError:
            raise
        except _PipeClosedError:
            raise BrokenPipeError from None
        except Exception as error:  # noqa: BLE001 - whatever it is, it ends in a sentence and an exit code
            failure = explained(error, environment, arguments)
            environment.output.failure(failure)
            if failure.code == "unexpected" and environment.output.verbose and not environment.output.as_json:
                traceback.print_exception(error, file=environment.output.stderr)
            return int(failure.exit_code)
        return code

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - Click gives both
        """Write the commands in groups, each with its summary, and where the documents are."""
        for title, names in self.groups.items():
            with formatter.section(title):
                formatter.write_dl([(name, self.commands[name].short_help or "") for name in names])
        with formatter.section("Documents"):
            formatter.write_text(DOCUMENTS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Find a command; who looks for one that only Credly has is told so."""
        if cmd_name == "revoke" and not ctx.resilient_parsing:
            raise _revoked_in_credly()
        return super().get_command(ctx, cmd_name)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; what Typer would answer in words of its own goes past it."""
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, EOFError):
            raise ctx.obj.interruption.failure() from None
        except BrokenPipeError:
            raise _PipeClosedError from None


def _revoked_in_credly() -> Failure:
    """Say how a badge is revoked, which no program but Credly's own pages does."""
    return Failure(
        "usage",
        "There is no command revoke: revoking is done in Credly only.",
        hint=Hint(
            "In Credly open Badges > Issued Badges, choose the badge, then Revoke. To list what is out, with the"
            " address of each badge in Credly:",
            Command("grants", "--state", "issued", "--csv"),
            ". Afterwards:",
            Command("sync"),
        ),
    )


def _end(code: int, environment: Environment) -> NoReturn:
    """End the process; once asked to stop, without waiting for answers that nobody reads any more."""
    if environment.interruption.is_set():
        with suppress(OSError):
            environment.output.stdout.flush()
        os._exit(code)
    sys.exit(code)


class _PipeClosedError(Exception):
    """Nobody reads our output any more."""


def failure_from(error: Exception) -> Failure:
    """Say what an error means for the user; one that nobody expected by its kind and place."""
    match error:
        case Failure():
            return error
        case sqlite3.Error():
            return store_failure(error)
        case OSError():
            return file_failure(error)
        case typer.Abort():
            return Failure("interrupted", "Interrupted.", hint="Nothing is lost: run it again.")
    if callable(words := getattr(error, "format_message", None)):  # Typer says by it that the command line is wrong
        sentence = without_tokens(str(words())).rstrip(".")
        end = "" if sentence.endswith("?") else "."
        return Failure("usage", f"{sentence}{end}", hint=f"Run: {command_path(error)} --help")
    place = traceback.extract_tb(error.__traceback__)[-1:]
    where = f" at {Path(place[0].filename).name}:{place[0].lineno}" if place else ""
    return Failure(
        "unexpected",
        f"Something went wrong that should not have: {type(error).__name__}{where}.",
        hint="Run it again with -v to see more, and report that.",
    )


def explained(error: Exception, environment: Environment, arguments: Sequence[str] = ()) -> Failure:
    """Say what an error means, with a look at what only this machine shows: a full disk, other profiles, names."""
    failure = failure_from(error)
    if isinstance(error, sqlite3.Error) and _code(error) in _OF_A_FULL_DISK:
        from credly_cli.admin import machine_checks  # noqa: PLC0415

        return failure if machine_checks.room(environment.paths.store.parent).ok else _no_room()
    if isinstance(error, UnicodeEncodeError) and any("\ud800" <= letter <= "\udfff" for letter in "".join(arguments)):
        way_out = "Call files by names in UTF-8, and let the terminal write UTF-8."
        return Failure("usage", "A word of the command is no text in UTF-8.", hint=way_out)
    # what was named may be a slip of the pen
    if failure.code == "not-connected" and environment.profile != "default" and not environment.paths.store.exists():
        from credly_cli.admin import profiles  # noqa: PLC0415

        message = f"The profile {environment.profile!r} is not connected to Credly."
        hint = profiles.suggestion(environment.paths, environment.profile)
        return Failure("not-connected", message, hint=hint or failure.hint)
    if failure.code in _OF_NAMES:
        from credly_cli.cli import corrections  # noqa: PLC0415 - only for who named something wrongly

        return corrections.corrected(failure, environment, arguments)
    return failure


def command_path(error: Exception) -> str:
    """Return the command that a usage error is about."""
    context = getattr(error, "ctx", None)
    return context.command_path if context else "credly"


def store_failure(error: sqlite3.Error) -> Failure:
    """Say what SQLite's error means for the user."""
    if _code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return Failure("locked", "The store is in use by another program.", hint="Try again when that is done.")
    if _code(error) == sqlite3.SQLITE_FULL:
        return _no_room()
    return Failure(
        "store-unusable",
        f"The store cannot be read or written: {error}.",
        hint=Hint("Check the file, and that its disk has room, then:", Command("doctor")),
    )


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF  # what is above that tells the kinds of one code apart


def _no_room() -> Failure:
    message = "The store cannot be read or written: there is no room left on its disk."
    return Failure("store-unusable", message, hint="Make room, then run it again; nothing needs to be restored.")


def file_failure(error: OSError) -> Failure:
    """Say what the operating system's refusal means for the user."""
    reason = error.strerror or error
    if not error.filename:
        hint = "Check where it goes, and that the disk has room."
        return Failure("store-unusable", f"The output cannot be written: {reason}.", hint=hint)
    return Failure(
        "store-unusable",
        f"A file or folder cannot be used ({error.filename}): {reason}.",
        hint="Check that it exists, that it is yours, and that the disk has room.",
    )


def _shared_options() -> list[TyperOption]:
    def option(*names: str, help: str, **more: Any) -> TyperOption:  # noqa: A002 - Typer's own word
        return TyperOption(param_decls=list(names), help=help, expose_value=False, callback=_remember, **more)

    return [
        option("--json", help="Answer in JSON.", is_flag=True),
        option(
            "--profile", help="Which connection to use.", type=str, metavar="NAME", autocompletion=completion.profiles
        ),
        option("-v", "--verbose", help="Say more on standard error.", count=True),
        option("-q", "--quiet", help="Print results and errors only.", is_flag=True),
        option("--no-input", help="Never ask a question.", is_flag=True),
        option("--no-pager", help="Show long lists without a pager.", is_flag=True),
        option("--color", help="auto, always or never.", type=str, metavar="WHEN", autocompletion=_COLOURS),
    ]


def _remember(context: Any, parameter: Any, value: Any) -> None:
    if not value or context.obj is None:
        return
    environment: Environment = context.obj
    match parameter.name:
        case "profile":
            environment.profile_option = environment.output.profile = value
        case "no_input":
            environment.no_input_option = True
        case _:
            _remember_output(environment.output, parameter, value, context)


def _remember_output(output: Output, parameter: Any, value: Any, context: Any) -> None:
    match parameter.name:
        case "json":
            output.as_json = True
        case "quiet":
            output.quiet = True
        case "verbose":
            output.show_more(value)
        case "no_pager":
            output.pages = False
        case "color":
            output.colour = _colour(value, context, parameter)


def _named_colour(arguments: Sequence[str]) -> Literal["auto", "always", "never"]:
    """Return the colour that is asked for, also where the command line is wrong and is not read any further."""
    line = "\n".join(arguments)
    for choice in ("always", "never"):
        if f"--color\n{choice}" in line or f"--color={choice}" in line:
            return choice
    return "auto"


def _colour(value: str, context: Any, parameter: Any) -> Literal["auto", "always", "never"]:
    for choice in ("auto", "always", "never"):
        if value == choice:
            return choice
    raise typer.BadParameter("it is auto, always or never", ctx=context, param=parameter)
