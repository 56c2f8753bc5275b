"""Pages of one file each, loading nothing but badge images, safe whatever a badge is called."""

import base64
import hashlib
import os
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from credly_cli.errors import unwritable
from credly_cli.text import is_web_address

if TYPE_CHECKING:
    from credly_cli.learners.badges import LearnerBadges
    from credly_cli.learners.widget import Widget

_FOLDER = Path(__file__).parent


def widget(answer: "Widget", organization: str) -> str:
    """Render the Credly Badges Widget."""
    return render("widget.html", answer=answer, learner=answer.learner, organization=organization)


def learner_badges(answer: "LearnerBadges", organization: str) -> str:
    """Render the Badges tab."""
    return render("learner_badges.html", answer=answer, learner=answer.learner, organization=organization)


def render(template: str, styles: Sequence[str] = ("page.css",), *, images: bool = True, **facts: Any) -> str:
    """Render a template with its style sheets; ``images``: whether it may load any, over https."""
    style = "".join((_FOLDER / name).read_text("utf-8") for name in styles)
    return templates().get_template(template).render(style=style, policy=_policy(style, images=images), **facts)


@cache
def templates() -> Environment:
    """Return the templates of all pages, with the filters that they use."""
    found = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {"web": web, "picture": picture, "day": day, "moment": moment, "percent": percent}
    return found


def _policy(style: str, *, images: bool) -> str:
    """Return the Content-Security-Policy: this one style, images over https or none, nothing else from anywhere."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    pictures = "img-src https:; " if images else ""
    return f"default-src 'none'; {pictures}style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def web(address: str | None) -> str | None:
    """Let through an address that a browser may open, and no other, such as ``javascript:``."""
    return address if address is not None and is_web_address(address) else None


def picture(address: str | None) -> str | None:
    """Let through the address of an image over https."""
    return address if address is not None and is_web_address(address) and address.startswith("https://") else None


def day(text: str) -> str:
    """Write the day of a time, in UTC: completions known by date only are kept as its midnight there."""
    at = datetime.fromisoformat(text)
    return f"{at.day} {at:%B} {at.year}"


def moment(text: str) -> str:
    """Write a time for people, in UTC."""
    return f"{day(text)}, {text[11:16]} UTC"


def percent(progress: float) -> str:
    """Write a percentage without needless digits; only what is complete reads 100."""
    return str(int(progress)) if progress >= 1 else f"{progress:g}"


def write(path: Path, page: str) -> None:
    """Write a page so that a reader sees the old one or the new one, never a part; raises ``Failure``.

    A page is there to be published: the web server must read it, so a new file gets what the umask allows (0644 as a
    rule), and one that is replaced keeps the mode that somebody gave it.
    """
    try:
        _write(path.resolve(), page.encode("utf-8", "replace"))  # through a link to where the site keeps it
    except OSError as error:
        raise unwritable("--html", path, error) from None


def _write(target: Path, data: bytes) -> None:
    if target.exists() and not target.is_file():
        target.write_bytes(data)  # a pipe or terminal
        return
    draft = target.with_name(f".{target.name}.{os.getpid()}.new")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb") as file:
            if target.exists():
                os.fchmod(file.fileno(), target.stat().st_mode & 0o777)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise
