"""What `doctor` finds on this machine alone: the store's file, SQLite, the lock, permissions, the disk, LMS files."""

import fcntl
import os
import shutil
import sqlite3
import stat
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from credly_cli.admin.doctor import Check, failed, failed_by, passed, warned
from credly_cli.config import Paths, Settings
from credly_cli.errors import Exit, Failure
from credly_cli.files import matching
from credly_cli.import_options import KINDS
from credly_cli.store import database
from credly_cli.store.schema import MIGRATIONS
from credly_cli.text import counted
from credly_cli.token import read_private_file

_SOUND_SQLITE = (3, 51, 3)
_NETWORK_SYSTEMS = (
    "nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "afs", "ceph", "glusterfs", "fuse.glusterfs", "lustre",
    "davfs", "fuse.rclone", "fuse.s3fs",
)  # fmt: skip
_LEAST_ROOM = 10  # MB
_LOOK_SECONDS = 20  # for LMS files


def store(path: Path) -> Check:
    """Read the whole store once, without changing it."""
    if not path.exists():
        return passed("store", f"There is no store yet; the first connect makes {path}.")
    try:
        complaint, version = database.check(path)
    except Failure as failure:
        return failed_by("store", failure)
    except sqlite3.Error as error:
        if database.is_broken(error):
            return _broken(path, str(error))
        way_out = "See that its disk has room and can be written; do not restore anything."
        return failed("store", f"{path} cannot be read: {error}.", way_out, Exit.STORE)
    if complaint is not None:
        return _broken(path, complaint)
    older = "" if version == len(MIGRATIONS) else "; the next command that writes brings it up to date"
    return passed("store", f"{path} is whole, version {version}{older}.")


def _broken(path: Path, complaint: str) -> Check:
    return failed(
        "store",
        f"{path} is damaged: {complaint}.",
        "Put a backup in its place, and leave the lock file beside it: the next sync then looks up what it missed.",
        Exit.STORE,
    )


def room(folder: Path) -> Check:
    """Tell whether the disk has room: a full one looks like a damaged store, and is none."""
    place = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    free = shutil.disk_usage(place).free // 1_000_000
    if free < _LEAST_ROOM:
        message = f"There is no room left on the disk of {folder} ({free} MB free)."
        return failed("room", message, "Make room; do not restore anything.", Exit.STORE)
    return passed("room", f"The disk of {folder} has {free:,} MB free.")


def sqlite(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> Check:
    """Name SQLite's version, and the rare fault that those before 3.51.3 have."""
    message = ".".join(map(str, version))
    if version < _SOUND_SQLITE:
        message += " (before 3.51.3 it can, very rarely, damage a store that two programs write at once;"
        return passed("sqlite", f"SQLite {message} only credly should write to it).")
    return passed("sqlite", f"SQLite {message}.")


def lock(path: Path) -> Check:
    """Tell whether another run is at work; takes nothing away from one that is about to begin."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return passed("lock", "No other run is at work.")
    except OSError as error:
        return failed("lock", f"{path} cannot be opened: {error.strerror}.", "Run as the owner of it.", Exit.STORE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(descriptor, 4096, 0).decode("utf-8", "replace").partition("\n")[2].strip()
        message = f"Another credly is at work: {holder or 'another process'}."
        return failed("lock", message, "Wait until it is done; end that process if it hangs.", Exit.TRY_LATER)
    except OSError as error:
        return failed("lock", f"Locks do not work here: {error.strerror}.", "Keep the store on a local disk.")
    finally:
        os.close(descriptor)
    return passed("lock", "No other run is at work.")


def permissions(paths: Paths) -> Check:
    """Find files that others may read or this user may not write; warn of a configuration or home that others may."""
    for path in _files(paths):
        mode = path.stat().st_mode
        if stat.S_ISREG(mode) and mode & 0o077:
            return failed("permissions", f"Others may read or write {path}.", f"Run: chmod 600 {path}")
        if not os.access(path, os.R_OK | os.W_OK):
            way_out = "Run as its owner, or give it to this user with chown."
            return failed("permissions", f"This user may not write {path}.", way_out, Exit.STORE)
    for path in (paths.config, paths.config.parent, paths.store.parent, paths.token.parent):
        if path.exists() and (reason := _written_by_others(path.stat())):
            way_out = f"Run: chmod {'700' if path.is_dir() else '600'} {path}"
            return warned("permissions", f"Others may write {path} {reason}: who can does what you can.", way_out)
    return passed("permissions", f"What is in {paths.store.parent} is this user's alone.")


def _written_by_others(status: os.stat_result) -> str:
    """Say who beside this user and root may write a file or folder, nothing where nobody may."""
    if status.st_uid not in (os.geteuid(), 0):
        return "(its owner is somebody else)"
    if stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX:
        return ""
    return {0o020: "(its group)", 0o002: "(everybody)", 0o022: "(everybody)"}.get(status.st_mode & 0o022, "")


def _files(paths: Paths) -> Iterator[Path]:
    folder = paths.store.parent
    yield from (path for path in (folder, paths.token, *sorted(folder.glob(f"{paths.store.name}*"))) if path.exists())


def file_system(folder: Path, mounts: Path = Path("/proc/self/mounts")) -> Check:
    """Tell a network file system, on which neither locks nor SQLite's log can be relied on."""
    try:
        rows = [line.split(" ") for line in mounts.read_text(encoding="utf-8", errors="replace").splitlines()]
    except OSError:
        return passed("file-system", "This system does not tell; keep the store on a local disk.")
    place = folder.resolve()
    holding = [row for row in rows if place.is_relative_to(_unescaped(row[1]))]
    kind = max(holding, key=lambda row: len(row[1]))[2] if holding else "unknown"
    if kind in _NETWORK_SYSTEMS:
        way_out = "Set CREDLY_HOME to a folder on a local disk and move the files there."
        return failed("file-system", f"{folder} is on a network file system ({kind}).", way_out)
    return passed("file-system", f"{folder} is on a local disk ({kind}).")


def _unescaped(mount: str) -> str:
    return mount.replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\")


def lms_files(settings: Settings) -> Check:
    """Tell whether each pattern of LMS files matches something that can be read."""
    patterns = [entry.path for kind in KINDS for entry in settings.lms.files.of(kind)]
    if not patterns:
        way_out = "Name the exports under [lms.files] in config.toml."
        return failed("lms", "The LMS source is files, and no file is named.", way_out, Exit.CONFIG)
    count, started = 0, time.monotonic()
    for pattern in patterns:
        whole = str(settings.folder / Path(pattern).expanduser())
        try:
            found = matching(whole, lambda: started + _LOOK_SECONDS - time.monotonic())
        except TimeoutError:
            message = f"What {pattern} matches was not found within {_LOOK_SECONDS} seconds."
            return failed("lms", message, "Name a smaller folder, or see whether its disk answers.", Exit.TRY_LATER)
        files = [path for path in found if not path.name.endswith(".rejects.csv")]
        if not files:
            return failed("lms", f"No file matches {pattern}.", "Check the path, and that the export has run.")
        if closed := [path for path in files if not os.access(path, os.R_OK)]:
            return failed("lms", f"{closed[0]} cannot be read.", "Give this user the right to read it.")
        count += len(files)
    return passed("lms", f"{counted(count, 'LMS file')} can be read.")


def thought_industries(settings: Settings, environ: Mapping[str, str]) -> Check:
    """Tell whether the site's host and its API key are there."""
    host, key_file = settings.lms.thought_industries.host, settings.lms.thought_industries.token_file
    if not host:
        way_out = "Set host under [lms.thought_industries] in config.toml."
        return failed("lms", "The LMS source is thought-industries, and its host is not named.", way_out, Exit.CONFIG)
    if environ.get("CREDLY_LMS_TOKEN"):
        return passed("lms", f"The LMS source is {host}, with the key in CREDLY_LMS_TOKEN.")
    way_out = "Name its file as token_file under [lms.thought_industries], or set CREDLY_LMS_TOKEN."
    if not key_file:
        return failed("lms", f"There is no API key for {host}.", way_out, Exit.NOT_CONNECTED)
    try:
        read_private_file(settings.folder / Path(key_file).expanduser())
    except Failure as failure:
        return failed("lms", failure.message, way_out, Exit.NOT_CONNECTED)
    return passed("lms", f"The LMS source is {host}, with the key in {key_file}.")
