"""Write ``docs/reference.md`` from the program itself; ``--check`` says whether it is up to date."""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import typer

from credly_cli.app import app
from credly_cli.cli.answers import FAILURE, SHAPES
from credly_cli.config import KEYS
from credly_cli.errors import EXIT_OF, Exit

ANSWERS = {**SHAPES, "any command that fails": FAILURE}
TARGET = Path(__file__).resolve().parent.parent / "docs" / "reference.md"
_MEANINGS = {
    Exit.DONE: "done, or nothing to do",
    Exit.UNEXPECTED: "failed unexpectedly",
    Exit.USAGE: "wrong usage",
    Exit.PARTIAL: "done in part: something needs a person",
    Exit.NOT_CONNECTED: "not connected, or the token was refused",
    Exit.NOT_FOUND: "no such badge, content, learner or grant, or the name is ambiguous",
    Exit.FORBIDDEN: "a rule forbids it",
    Exit.STORE: "the store cannot be read or written",
    Exit.TRY_LATER: "try again later",
    Exit.CONFIG: "configuration invalid",
    Exit.INTERRUPTED: "interrupted",
}
_VARIABLES = {
    "CREDLY_HOME": "keeps configuration, store, lock and token in this folder",
    "CREDLY_CONFIG": "the configuration file",
    "CREDLY_PROFILE": "the profile, as `--profile`",
    "CREDLY_TOKEN": "the authorization token; it is not kept",
    "CREDLY_TOKEN_FILE": "a file of mode 0600 with the token",
    "CREDLY_CLIENT_SECRET": "the secret of an OAuth client, in the token's place",
    "CREDLY_API_URL": "the address of the API",
    "CREDLY_ORGANIZATION": "the organization's id",
    "CREDLY_LMS_TOKEN": "the API key of the LMS",
    "CREDLY_NO_INPUT": "never ask a question, as `--no-input`",
    "CREDLY_PAGER": "the pager for long lists on a terminal; else `PAGER`, else `less`",
    "PAGER": "the pager, where `CREDLY_PAGER` names none",
    "NO_COLOR": "no colours",
}

_FOLDERS = """The file is `config.toml`, which you make yourself: on Linux `~/.config/credly-cli/config.toml`, on macOS
`~/Library/Application Support/credly-cli/config.toml`, where `CREDLY_HOME` is set in that folder, or the file that
`CREDLY_CONFIG` names. [`sample_config.toml`](../sample_config.toml) shows every key; an installed program has it as
`share/credly-cli/sample_config.toml`. A table `[profiles.NAME]` overrides any key for that profile."""


def reference() -> str:
    """Return the page."""
    parts = ["# Reference", "This page is made from the program by `make reference`.", "## Commands", *_commands()]
    parts += ["## Exit codes", _table(("code", "means", "error codes"), _exits())]
    parts += ["## Configuration", _FOLDERS, _table(("key", "default", "what it is for"), _keys())]
    parts += ["## Environment", _table(("variable", "what it does"), [(f"`{k}`", v) for k, v in _VARIABLES.items()])]
    parts += ["## JSON answers", "Keys may be added, never removed or renamed. Times are RFC 3339 in UTC.", *_shapes()]
    return "\n\n".join(parts) + "\n"


def _commands() -> list[str]:
    group: Any = typer.main.get_command(app)
    os.environ["COLUMNS"] = os.environ["TERMINAL_WIDTH"] = "100"
    parts = []
    with group.make_context("credly", ["status"], resilient_parsing=True) as context:
        for name, command in group.commands.items():
            with command.make_context(name, [], parent=context, resilient_parsing=True) as inner:
                parts += [f"### credly {name}", f"```text\n{command.get_help(inner).strip()}\n```"]
    return parts


def _exits() -> list[tuple[str, str, str]]:
    codes = {code: [name for name, one in EXIT_OF.items() if one is code] for code in Exit}
    return [(str(int(code)), _MEANINGS[code], ", ".join(f"`{name}`" for name in codes[code])) for code in Exit]


def _keys() -> list[tuple[str, str, str]]:
    return [(f"`{key.name}`", "" if key.default is None else f"`{key.default!r}`", key.meaning) for key in KEYS]


def _shapes() -> list[str]:
    return [f"`{name}`:\n\n```text\n{_shown(shape)}\n```" for name, shape in ANSWERS.items()]


def _shown(shape: Any, indent: str = "") -> str:
    if isinstance(shape, tuple):
        return " or ".join(_shown(one, indent) for one in shape)
    if isinstance(shape, list):
        return f"[{_shown(shape[0], indent)}, ...]"
    if isinstance(shape, dict):
        inner = "".join(f"{indent}  {key}: {_shown(value, indent + '  ')}\n" for key, value in shape.items())
        return f"{{\n{inner}{indent}}}"
    return {str: "text", int: "number", float: "number", bool: "true or false", dict: "object", None: "null"}[shape]


def _table(head: tuple[str, ...], rows: list[Any]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, end with 1 when the page is out of date")
    if parser.parse_args().check:
        sys.exit(TARGET.read_text(encoding="utf-8") != reference())
    TARGET.write_text(reference(), encoding="utf-8")
