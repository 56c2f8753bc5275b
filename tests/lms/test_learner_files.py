"""Files of learners: addresses, names, ids, panoramas and sublicenses, as systems write them."""

from collections.abc import Callable
from typing import Any

import pytest

from credly_cli.lms.records import LearnerRecord, Reject


def test_a_row_with_every_column_becomes_a_learner(one: Callable[..., Any]) -> None:
    text = (
        "email,first_name,last_name,learner_id,panorama,sublicense,locale\n"
        "robin@example.org, Robin ,Smith,u1,Acme,West,en\n"
    )
    assert one("learners", text) == LearnerRecord(
        2, "robin@example.org", "Robin", "Smith", "u1", "Acme", ("West",), "en"
    )


def test_an_empty_cell_says_nothing(one: Callable[..., Any]) -> None:
    text = "email,first_name,last_name,learner_id\nrobin@example.org,, ,\n"
    assert one("learners", text) == LearnerRecord(2, "robin@example.org", None, None, None, None, None, None)


@pytest.mark.parametrize(
    ("cell", "email"),
    [
        ("robin@example.org", "robin@example.org"),
        ("  robin@example.org  ", "robin@example.org"),
        ("Robin@Example.org", "Robin@Example.org"),
        ("mailto:robin@example.org", "robin@example.org"),
        ("MAILTO:robin@example.org", "robin@example.org"),
        ("Robin Smith <robin@example.org>", "robin@example.org"),
        ("<robin@example.org>", "robin@example.org"),
        ("o'hara+badges@example.org", "o'hara+badges@example.org"),
        ("jörg@exämple.org", "jörg@exämple.org"),
    ],
)
def test_an_address_is_read_in_every_form_that_systems_write(cell: str, email: str, one: Callable[..., Any]) -> None:
    assert one("learners", f"email\n{cell}\n").email == email


@pytest.mark.parametrize(
    "cell", ["robin", "@example.org", "robin@", "a@b@c", "robin smith@example.org", "robin\u200b@example.org"]
)
def test_what_is_no_address_is_rejected_by_its_column(cell: str, one: Callable[..., Any]) -> None:
    reject = one("learners", f"Email Address,x\n{cell},1\n")
    assert (reject.row, reject.column) == (2, "Email Address")
    assert "is not an email address" in reject.reason


def test_a_learner_without_address_is_rejected(one: Callable[..., Any]) -> None:
    assert one("learners", "email,first_name\n,Robin\n") == Reject(2, "email", "has no email")


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("Robin Smith", "Robin", "Smith"),
        ("Robin van der Berg", "Robin van der", "Berg"),
        ("Smith, Robin", "Robin", "Smith"),
        ("van der Berg,  Robin Lee", "Robin Lee", "van der Berg"),
        ("  Robin   Smith ", "Robin", "Smith"),
        ("Robin", "Robin", None),
        ("", None, None),
        ("robin@example.org", None, None),
    ],
)
def test_a_full_name_is_split(name: str, first: str | None, last: str | None, one: Callable[..., Any]) -> None:
    record = one("learners", f'email,Name\nr@example.org,"{name}"\n')
    assert (record.first_name, record.last_name) == (first, last)


def test_first_and_last_name_win_over_the_full_name(one: Callable[..., Any]) -> None:
    record = one("learners", "email,name,first_name,last_name\nr@example.org,Bobby S,Robin,Smith\n")
    assert (record.first_name, record.last_name) == ("Robin", "Smith")


def test_a_user_name_is_an_address_or_a_name_or_nothing(read: Callable[..., list[Any]]) -> None:
    text = "email,username\n,robin@example.org\nr@example.org,Robin Smith\ns@example.org,rsmith\n"
    rejected, *others = read("learners", text)  # a login is an address only where the file has no other
    assert rejected == Reject(2, "email", "has no email")
    assert [(record.email, record.first_name, record.last_name) for record in others] == [
        ("r@example.org", "Robin", "Smith"),
        ("s@example.org", None, None),
    ]


@pytest.mark.parametrize(
    "header",
    [
        "email,first_name,last_name",
        "Email,First Name,Last Name",
        "E-Mail,Given Name,Family Name",
        "emailAddress,firstName,surname",
        "user,userDetail.firstName,userDetail.lastName",
        "User Email,fname,lname",
        "Issued To Email,Issued To First Name,Issued To Last Name",
        "recipient_email,firstname,LASTNAME",
    ],
)
def test_headers_are_known_by_the_names_that_systems_give_them(header: str, one: Callable[..., Any]) -> None:
    record = one("learners", f"{header}\nrobin@example.org,Robin,Smith\n")
    assert (record.email, record.first_name, record.last_name) == ("robin@example.org", "Robin", "Smith")


def test_our_own_name_of_a_column_wins_over_an_alias(one: Callable[..., Any]) -> None:
    record = one("learners", "User Email,email,User Id,learner_id\nother@x.org,robin@x.org,other,u1\n")
    assert (record.email, record.learner_id) == ("robin@x.org", "u1")


def test_the_users_of_oneroster_are_learners(one: Callable[..., Any]) -> None:
    text = (
        "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,givenName,familyName,"
        "middleName,identifier,email,sms,phone,agentSourcedIds,grades,password\n"
        "s1,active,2026-01-01,true,o1,student,rsmith,,Robin,Smith,Lee,77,robin@example.org,,,,09,\n"
    )
    assert one("learners", text) == LearnerRecord(2, "robin@example.org", "Robin", "Smith", "s1", None, None, None)


def test_the_users_of_thought_industries_are_learners_by_their_own_id(one: Callable[..., Any]) -> None:
    text = (
        '{"users": [{"id": "u1", "email": "robin@example.org", "firstName": "Robin", "lastName": "Smith",'
        ' "roleKey": "student", "disabled": false, "clientId": "p1", "externalCustomerId": "e1", "lang": "de",'
        ' "purchasedCourses": [{"courseId": "c1", "status": "active"}]}], "pageInfo": {"hasMore": false}}'
    )
    assert one("learners", text) == LearnerRecord(1, "robin@example.org", "Robin", "Smith", "u1", "p1", None, "de")


@pytest.mark.parametrize(
    ("header", "cells", "sublicenses"),
    [
        ("License", "RN-12345", None),
        ("License ID", "RN-12345", None),
        ("Panorama,License", "Acme,East", ("East",)),
        ("Sublicense", "East", ("East",)),
    ],
)
def test_r29_a_licence_is_a_tenants_only_where_the_file_has_tenants(
    header: str, cells: str, sublicenses: tuple[str, ...] | None, one: Callable[..., Any]
) -> None:
    assert one("learners", f"email,{header}\na@example.org,{cells}\n").sublicenses == sublicenses


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("Forename,Surname", "Ada,Bell"),
        ("Nom complet", "Ada Bell"),
        ("Vollständiger Name", '"Bell, Ada"'),
        ("Nombre completo", "Ada Bell"),
    ],
)
def test_names_are_known_by_the_headers_of_other_languages(header: str, cells: str, one: Callable[..., Any]) -> None:
    record = one("learners", f"email,{header}\na@example.org,{cells}\n")
    assert (record.first_name, record.last_name) == ("Ada", "Bell")
