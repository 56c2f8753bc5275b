"""Pages for learners: one file each, loading nothing but badge images, safe whatever a badge is called."""

import base64
import hashlib
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from credly_cli.pages.writing import write
from credly_cli.text import is_web_address

if TYPE_CHECKING:
    from credly_cli.learners.badges import LearnerBadges
    from credly_cli.learners.widget import Widget

__all__ = ["learner_badges", "widget", "write"]

_FOLDER = Path(__file__).parent


def widget(answer: "Widget", organization: str) -> str:
    """Render the Credly Badges Widget."""
    return _render("widget.html", answer=answer, learner=answer.learner, organization=organization)


def learner_badges(answer: "LearnerBadges", organization: str) -> str:
    """Render the Badges tab."""
    return _render("learner_badges.html", answer=answer, learner=answer.learner, organization=organization)


def _render(template: str, **facts: Any) -> str:
    style = (_FOLDER / "page.css").read_text("utf-8")
    return _templates().get_template(template).render(style=style, policy=policy(style), **facts)


@cache
def _templates() -> Environment:
    templates = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {"web": web, "picture": picture, "day": day, "moment": moment, "percent": percent}
    return templates


def policy(style: str) -> str:
    """Return the Content-Security-Policy: this one style, images over https, nothing else from anywhere."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; img-src https:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


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
