"""A school with a site to publish to: First Aid can be earned, by Robin and by Kim."""

import pytest

from tests.learners.school import BADGE, School
from tests.publishing.site import Site
from tests.support.desk import Desk


@pytest.fixture
def site(connected: Desk) -> Site:
    """A site with two learners, nothing earned yet and nothing published."""
    school = School(connected)
    school.teaches("aid", "First Aid", BADGE)
    school.has()
    school.has("kim@example.org", first_name="Kim", last_name="Wren", learner_id="17")
    return Site(school)


@pytest.fixture
def connected_school(connected: Desk) -> School:
    """A school that is connected; nothing is taught yet."""
    return School(connected)
