"""The profiles on this machine, read without a network and without changing anything."""

import difflib
import sqlite3
import tomllib
from dataclasses import dataclass
from pathlib import Path

from credly_cli.config import Paths
from credly_cli.credly.records import Organization
from credly_cli.errors import Failure
from credly_cli.store import overview
from credly_cli.store.overview import Overview
from credly_cli.text import Command, Hint


@dataclass(frozen=True, slots=True)
class Profile:
    """A connection with a store and a token of its own; ``current`` where it is the one in use."""

    name: str
    connected: bool
    organization: Organization | None
    current: bool


def listed(paths: Paths, current: str) -> list[Profile]:
    """List the profiles that have files on this machine or a table in the configuration, and the one in use."""
    root = paths.store.parent if current == "default" else paths.store.parents[2]
    others = {folder.name for folder in (root / "profiles").glob("*") if folder.is_dir()}
    default = {"default"} if (root / "credly.db").exists() else set()
    names = {current, *default, *others, *_configured(paths.config)}
    return [_view(root, name, current) for name in sorted(names, key=lambda name: (name != "default", name))]


def suggestion(paths: Paths, name: str) -> Hint | None:
    """Say what a profile without a store may have been meant to be; ``None`` where it is the only one."""
    others = [profile.name for profile in listed(paths, name) if profile.name != name]
    if not others:
        return None
    alike = difflib.get_close_matches(name, others, 1)
    meant = f"Did you mean {alike[0]!r}? " if alike else ""
    profiles, connect = Command("profiles"), Command("connect")
    return Hint(f"{meant}To see the profiles:", profiles, "; to connect this one:", connect)


def _view(root: Path, name: str, current: str) -> Profile:
    folder = root if name == "default" else root / "profiles" / name
    found = _overview(folder / "credly.db")
    return Profile(name, found.connected, found.organization, name == current)


def _configured(config: Path) -> set[str]:
    try:
        return set(tomllib.loads(config.read_text(encoding="utf-8")).get("profiles", {}))
    except FileNotFoundError:
        return set()


def _overview(store: Path) -> Overview:
    """Read where a profile stands; a store that cannot be read says nothing here, `doctor` says more."""
    try:
        return overview.read(store)
    except (Failure, sqlite3.Error, OSError):
        return Overview()
