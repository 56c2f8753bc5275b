"""The configuration as it holds: every key with its value and where that comes from; a file to begin with."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any, Literal

from credly_cli.config import KEYS, Settings
from credly_cli.configured_values import Key
from credly_cli.errors import Failure, unwritable
from credly_cli.files import write_new
from credly_cli.text import Command, Hint, as_json

Source = Literal["default", "file", "profile", "environment"]
_VARIABLES = {"credly.api_url": "CREDLY_API_URL", "credly.organization": "CREDLY_ORGANIZATION"}
_USER = re.compile(r"//[^/@\s]*@")


@dataclass(frozen=True, slots=True)
class Setting:
    """A key, its value, and where that comes from."""

    key: str
    value: Any
    source: Source


def listed(settings: Settings, origins: Mapping[str, Source], environ: Mapping[str, str]) -> list[Setting]:
    """List every key; no secret is among them."""
    return [_setting(key, settings, origins, environ) for key in KEYS]


def _setting(key: Key, settings: Settings, origins: Mapping[str, Source], environ: Mapping[str, str]) -> Setting:
    variable = _VARIABLES.get(key.name)
    if variable is not None and variable in environ:
        return Setting(key.name, _shown(key.name, environ[variable]), "environment")
    value = as_json(attrgetter(key.name)(settings))
    return Setting(key.name, _shown(key.name, value), origins.get(key.name, "default"))


def _shown(name: str, value: Any) -> Any:
    """Keep what may be a secret to ourselves: arguments of a command, and a password in an address."""
    if name.endswith("_command") and isinstance(value, list):
        return [*value[:1], *("***" for _ in value[1:])]
    return _USER.sub("//***@", value) if isinstance(value, str) else value


def write(path: Path) -> None:
    """Write a commented file to begin with; raises ``Failure`` where there is one."""
    if path.exists():
        hint = Hint("To see what it says:", Command("config"))
        raise Failure("file-exists", f"There is a configuration already: {path}.", hint=hint)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_new(path, sample())
    except OSError as error:
        raise unwritable("CREDLY_CONFIG", path, error) from None


def sample() -> str:
    """Return a configuration that says nothing yet: each key with its meaning and default, behind a ``#``."""
    lines = [
        "# The configuration of credly. Every key is optional; take the # away before one to set it.",
        "# A table [profiles.NAME] overrides any key for that profile.",
    ]
    table = ""
    for key in sorted(KEYS, key=lambda key: key.name.rpartition(".")[0]):
        group, _, name = key.name.rpartition(".")
        if group != table:
            lines += ["", f"[{group}]"]
            table = group
        lines += ["", f"# {key.meaning}", f"#{name} = {_toml(key.default)}"]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    if value is None:
        return '""'
    if isinstance(value, bool):
        return str(value).lower()
    if value == {}:
        return "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return str(value) if isinstance(value, int | float) else f'"{value}"'
