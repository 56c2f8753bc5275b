"""A school with a site to publish to: First Aid can be earned, by Robin and by Kim."""

import pytest

from tests.learners.school import BADGE, School
from tests.publishing.site import Site
from tests.support.desk import ConnectedAfter, Desk


@pytest.fixture
def site(connected_after: ConnectedAfter) -> Site:
    """A site with two learners, nothing earned yet and nothing published."""
    return Site(School(connected_after(teach_two_learners)))


def teach_two_learners(desk: Desk) -> None:
    school = School(desk)
    school.teaches("aid", "First Aid", BADGE)
    school.has()
    school.has("kim@example.org", first_name="Kim", last_name="Wren", learner_id="17")


@pytest.fixture
def connected_school(connected: Desk) -> School:
    """A school that is connected; nothing is taught yet."""
    return School(connected)
