"""Write ``man/credly.1`` from the program itself; ``--check`` says whether it is up to date."""

import argparse
import sys
from pathlib import Path
from typing import Any

import typer

from credly_cli import __version__
from credly_cli.app import app
from credly_cli.config import KEYS
from credly_cli.errors import EXIT_OF, Exit

TARGET = Path(__file__).resolve().parent.parent / "man" / "credly.1"
_FILES = {
    "~/.config/credly-cli/config.toml": "the configuration, or what CREDLY_CONFIG names; you make it yourself",
    "share/credly-cli/sample_config.toml": "beside the program: every key of the configuration with its default",
    "~/.local/share/credly-cli/": "the store credly.db, its lock credly.db.lock and the token",
    "~/.local/state/credly-cli/": "rows that were rejected from standard input",
    "~/Library/Application Support/credly-cli/": "all of these on macOS",
    "CREDLY_HOME": "a folder for all of these, where that variable is set",
}


def man_page() -> str:
    """Return the page, as roff."""
    group: Any = typer.main.get_command(app)
    lines = [
        f'.TH CREDLY 1 "" "credly-cli {__version__}" "User Commands"',
        ".SH NAME",
        "credly \\- join a learning management system to Credly",
        ".SH SYNOPSIS",
        ".B credly",
        "[\\fIOPTIONS\\fR] \\fICOMMAND\\fR [\\fIARGUMENTS\\fR]",
        ".SH DESCRIPTION",
        _escaped(str(group.help)),
        ".SH COMMANDS",
    ]
    for name, command in group.commands.items():
        lines += [".SS", f"credly {name}", *_paragraphs(str(command.help)), *_options(command)]
    lines += [
        ".SH CONFIGURATION",
        *(line for key in KEYS for line in (".TP", _escaped(key.name), _escaped(key.meaning))),
    ]
    lines += [
        ".SH FILES",
        *(line for path, words in _FILES.items() for line in (".TP", _escaped(path), _escaped(words))),
    ]
    lines += [".SH EXIT STATUS"]
    for code in Exit:
        names = ", ".join(name for name, one in EXIT_OF.items() if one is code)
        lines += [".TP", str(int(code)), _escaped(names or "done, or nothing to do")]
    return "\n".join(lines) + "\n"


def _options(command: Any) -> list[str]:
    lines: list[str] = []
    for parameter in command.params:
        help_text = getattr(parameter, "help", None)
        if parameter.param_type_name == "option" and help_text and not parameter.hidden:
            lines += [".TP", f"\\fB{_escaped(', '.join(parameter.opts))}\\fR", _escaped(help_text)]
    return lines


def _paragraphs(text: str) -> list[str]:
    return [line for paragraph in text.split("\n\n") for line in (".PP", _escaped(" ".join(paragraph.split())))]


def _escaped(text: str) -> str:
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{text}" if text.startswith((".", "'")) else text


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, end with 1 when the page is out of date")
    if parser.parse_args().check:
        sys.exit(TARGET.read_text(encoding="utf-8") != man_page())
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(man_page(), encoding="utf-8")
