"""Reading a text as `credly import` would read it from a file, and a Thought Industries to read from."""

import io
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any

import pytest

from credly_cli.import_options import Kind
from credly_cli.lms.reader import read_stream
from credly_cli.lms.records import Reading, Record, Reject
from tests.support.desk import Desk
from tests.support.thought_industries import EARLY, KEY, Site, StandIn

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def _read(
    kind: Kind,
    text: str | bytes,
    *,
    zone: tzinfo = UTC,
    date_format: str | None = None,
    mapping: Mapping[str, str] | None = None,
    values: Mapping[str, Mapping[str, str]] | None = None,
) -> list[Record | Reject]:
    data = text.encode() if isinstance(text, str) else text
    return list(read_stream(kind, io.BytesIO(data), Reading(NOW, zone, date_format, mapping or {}, values or {})))


@pytest.fixture(scope="session")
def read() -> Callable[..., list[Any]]:
    """Read all that a file holds, on 2026-11-23 at noon."""
    return _read


@pytest.fixture(scope="session")
def one() -> Callable[..., Any]:
    """Read a file that holds one row, good or rejected."""

    def only(*told: Any, **options: Any) -> Record | Reject:
        (record,) = _read(*told, **options)
        return record

    return only


@pytest.fixture
def site() -> Site:
    site = Site(
        content=[
            {"id": "group", "kind": "courseGroup", "title": "First Aid", "status": "published", "displayCourse": "may"},
            {"id": "may", "kind": "course", "title": "First Aid (May)", "sessionTitle": "May", "status": "published",
             "courseGroup": "group"},
            {"id": "june", "kind": "course", "title": "First Aid (June)", "sessionTitle": "June", "status": "draft",
             "courseGroup": "group"},
            {"id": "path", "kind": "learningPath", "title": "Kitchen Path", "status": "loginRestriction"},
            {"id": "bundle", "kind": "bundle", "title": "All you can learn", "status": "published"},
        ],
        clients=[{"id": "client-1", "name": "North", "courseIds": ["group"], "learningPathIds": ["path"]}],
        licenses={"client-1": [{"id": "license-1", "name": "North Main", "courseIds": ["group"]}]},
        users=[
            {"id": "user-ada.lovelace@example.org", "email": "ada.lovelace@example.org", "firstName": "Ada",
             "lastName": "Lovelace", "lang": "de", "clientId": "client-1",
             "allocatedLicenses": [{"licenseId": "license-1", "licenseRole": "student"}],
             "purchasedCourses": [{"courseId": "may", "status": "active"}, {"courseId": "bundle"}],
             "allocatedLearningPaths": [{"learningPathId": "path", "status": "active"}]},
        ],
    )  # fmt: skip
    site.completed("ada.lovelace@example.org", "may", EARLY)
    return site


@pytest.fixture
def school(only_connected: Desk, site: Site) -> Iterator[Desk]:
    """A desk that is connected to Credly and to a site of Thought Industries."""
    with StandIn(site) as server:
        only_connected.environ["CREDLY_LMS_TOKEN"] = KEY
        only_connected.config(
            f'[lms]\nsource = "thought-industries"\n[lms.thought_industries]\nhost = "{server.url}"\n'
        )
        yield only_connected
