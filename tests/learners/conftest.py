"""A school with linked badges, and a browser to look at its pages."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.learners.school import School
from tests.support.desk import Desk

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
_ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


@pytest.fixture
def school(home: Path, synced_once: Desk) -> School:
    """A school that is connected to Credly; nothing is taught yet."""
    return School(synced_once.copied_to(home))


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator["BrowserContext"]:
    """A real browser that begins with nothing; badge images are drawn here, all else from elsewhere is refused."""
    sync_api = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("there is no chromium here: apt-get install chromium")
    with sync_api.sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("browser"), executable_path=CHROMIUM, args=list(_ARGUMENTS), headless=True
        )
        context.set_default_timeout(10_000)
        yield context
        context.close()


@pytest.fixture
def shots() -> Path | None:
    """Where screenshots go to be looked at: the folder that SCREENSHOTS names."""
    import os  # noqa: PLC0415 - for this alone

    named = os.environ.get("SCREENSHOTS")
    return Path(named) if named else None
