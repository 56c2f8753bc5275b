"""Which column of a file is which: by its own name, by the names that other systems give it, or by ``--map``.

Headers are compared by their letters and digits only, so ``First Name``, ``first_name`` and ``firstName`` are one. Of
the names of a column the first that the file has is taken; the name of our own comes first.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from credly_cli.errors import Failure
from credly_cli.lms.records import Kind

_EMAIL = (
    "userdetailemail", "emailaddress", "user", "useremail", "learneremail", "studentemail", "mail", "mbox",
    "actormbox", "recipientemail", "issuedtoemail", "username",
)  # fmt: skip
_FIRST_NAME = ("givenname", "fname", "userdetailfirstname", "userfirstname", "issuedtofirstname")
_LAST_NAME = ("familyname", "surname", "lname", "userdetaillastname", "userlastname", "issuedtolastname")
_FULL_NAME = ("name", "username", "displayname", "student", "studentname", "learner", "learnername", "actorname")
_LEARNER_ID = ("userid", "studentid")
_FOREIGN_LEARNER_ID = (
    "employeeid", "externalcustomerid", "userdetailid", "userdetailexternalcustomerid", "sourcedid", "sisid",
)  # fmt: skip
_CONTENT_ID = ("courseid", "activityid", "objectid", "learningpathid", "coursesku", "sku", "courseslug")
_TITLE = ("contenttitle", "coursetitle", "coursename", "course", "title", "content", "learningpathtitle", "module")
_PANORAMA = (
    "panoramaname", "panoramaid", "client", "clientname", "clientid", "userdetailclient", "portal", "branch",
    "department",
)  # fmt: skip
_SUBLICENSE = ("sublicenseid", "sublicensename", "license", "licenseid", "licensename")

# The columns of each kind, by our own name, with the names that they have elsewhere.
_COLUMNS: dict[Kind, dict[str, tuple[str, ...]]] = {
    "learners": {
        "email": _EMAIL,
        "first_name": _FIRST_NAME,
        "last_name": _LAST_NAME,
        "full_name": _FULL_NAME,
        "learner_id": (*_LEARNER_ID, "id", *_FOREIGN_LEARNER_ID),
        "panorama": _PANORAMA,
        "sublicense": _SUBLICENSE,
        "locale": ("lang", "language", "preferredlanguage"),
    },
    "content": {
        "content_id": (*_CONTENT_ID, "id", "slug"),
        "title": ("contenttitle", "coursetitle", "coursename", "name", "course", "content", "learningpathtitle"),
        "type": ("contenttype", "kind"),
        "status": ("contentstatus", "coursestatus"),
        "released": ("isreleased", "published", "ispublished", "visible"),
        "released_at": ("releasedate", "publishedat", "publishdate", "futurepublishdate"),
        "url": ("link", "contenturl", "courseurl"),
        "group_id": ("coursegroup", "coursegroupid"),
        "session_id": ("displaycourse",),
        "session_title": ("sessionname",),
        "panoramas": ("panorama", *_PANORAMA),
        "sublicenses": ("sublicense", *_SUBLICENSE),
    },
    "progress": {
        "email": _EMAIL,
        "learner_id": ("userid", "studentid", *_FOREIGN_LEARNER_ID),
        "content_id": _CONTENT_ID,
        "session_id": ("notifiableid",),
        "content_title": _TITLE,
        "progress": (
            "percent", "percentcomplete", "percentagecompleted", "completion", "completionpercentage", "percentage",
            "percentcompleted", "progresspercent", "progresspercentage",
        ),
        "status": ("completionstatus", "coursestatus", "enrollmentstatus", "enrolmentstatus", "verbid", "completed"),
        "enrolled_at": (
            "enrolledon", "enrollmentdate", "enrolmentdate", "dateenrolled", "enrolleddate", "startedat",
            "datestarted", "startedon", "startdate",
        ),
        "completed_at": (
            "completiondate", "datecompleted", "completed", "timecompleted", "coursecomplete", "completedon",
            "completeddate", "finishedon", "finishedat", "enddate", "progresscompletedat",
        ),
        "event_id": ("statementid", "messageid", "id"),
        "first_name": _FIRST_NAME,
        "last_name": _LAST_NAME,
        "full_name": _FULL_NAME,
        "type": (),
        "source": (),
        "event": (),
        "timestamp": (),
    },
    "access": {
        "content_id": (*_CONTENT_ID, "id"),
        "email": _EMAIL,
        "panorama": _PANORAMA,
        "sublicense": _SUBLICENSE,
    },
}  # fmt: skip

# Of each group a file needs one.
_REQUIRED: dict[Kind, tuple[tuple[str, ...], ...]] = {
    "learners": (("email",),),
    "content": (("content_id",), ("title",)),
    "progress": (("email", "learner_id"), ("content_id", "session_id", "content_title")),
    "access": (("content_id",), ("email", "panorama", "sublicense")),
}
# Of these a row uses the first that it has, so naming one by --map takes the others' aliases away.
_ALTERNATIVES: dict[Kind, tuple[str, ...]] = {
    "learners": (),
    "content": (),
    "progress": ("content_id", "session_id", "content_title"),
    "access": ("email", "panorama", "sublicense"),
}
_EVENT_MARKS = frozenset({"timestamp", "notifiableid", "event"})  # without one of these an "id" is not an event's
_LONGEST_LIST = 500
ABSENT = -1


class Columns(NamedTuple):
    """Where the columns of a file are; ``emails`` are all that may hold the address, the best first."""

    header: Sequence[str]
    places: Mapping[str, int]
    emails: tuple[int, ...]

    def at(self, column: str) -> int:
        """Return the place of a column, ``ABSENT`` if the file has none."""
        return self.places.get(column, ABSENT)

    def label(self, column: str) -> str:
        """Return what the file calls a column, or our own name for it."""
        return self.header_at(self.at(column), column)

    def header_at(self, place: int, otherwise: str) -> str:
        """Return the header of a place."""
        return _sayable(self.header[place].strip()) if place != ABSENT else otherwise


def columns_of(kind: Kind) -> tuple[str, ...]:
    """Return the names that ``--map`` takes for a kind of file."""
    return tuple(_COLUMNS[kind])


def check_mapping(kind: Kind, mapping: Mapping[str, str]) -> None:
    """Refuse columns that this kind of file does not have."""
    for column in mapping:
        if column not in _COLUMNS[kind]:
            raise Failure(
                "usage",
                f"{column!r} is not a column of {kind}.",
                hint=f"The columns of {kind} are {', '.join(columns_of(kind))}.",
            )


def require_mapped(headers: Sequence[Sequence[str]], mapping: Mapping[str, str]) -> None:
    """Refuse what ``--map`` names and none of some headers has."""
    for wanted in mapping.values():
        if wanted[:1] != "=" and all(_mapped_place(header, wanted) == ABSENT for header in headers):
            raise _no_column(wanted, headers[0])


def match_columns(kind: Kind, header: Sequence[str], mapping: Mapping[str, str], *, optional: bool = False) -> Columns:
    """Find the columns of a file by its header; what is missing is for ``missing_columns`` to say.

    With ``optional`` the header need not have what ``mapping`` names: JSON objects leave out what they do not know.
    """
    mapped = {column: _mapped_place(header, wanted) for column, wanted in mapping.items()}
    if not optional and ABSENT in mapped.values():
        raise _no_column(next(mapping[column] for column, place in mapped.items() if place == ABSENT), header)
    places = {column: place for column, place in mapped.items() if place != ABSENT}
    taken = set(places.values())
    keys = _keys_of(header, taken)
    for column, aliases in _COLUMNS[kind].items():
        names = () if _is_replaced(kind, column, mapping) else aliases
        if column not in mapping and (place := _find(column, names, header, keys)) != ABSENT:
            places[column] = place
    _settle_doubles(kind, places, keys)
    emails = [places["email"]] if "email" in places else []
    if "email" not in mapped and emails:
        emails += [keys[key][0] for key in _EMAIL if key in keys and keys[key][0] not in emails]
    return Columns(header, places, tuple(emails))


def missing_columns(kind: Kind, columns: Columns) -> list[str]:
    """Name the required columns that a file does not have."""
    return [" or ".join(group) for group in _REQUIRED[kind] if not any(column in columns.places for column in group)]


def refuse_header(kind: Kind, columns: Columns, name: str) -> Failure:
    """Say that a file is not of this kind, what it lacks and what to do."""
    missing = missing_columns(kind, columns)
    return Failure(
        "import-rejected",
        f"{name} is no file of {kind}: it has no column {' and no column '.join(missing)}. "
        f"It has: {_listed(columns.header)}.",
        hint=_advice(kind, columns, missing[0].split(" or ")[0]),
    )


def _advice(kind: Kind, columns: Columns, column: str) -> str:
    others = [other for other in ("progress", "access", "content") if other != kind and _fits(other, columns.header)]
    if others:
        return f"It looks like a file of {others[0]}. If not, say which column is meant: --map {column}=HEADER"
    if column == "content_id" and "email" in columns.places:
        return (
            "Say which column is meant: --map content_id=HEADER, or, for a report of one course: --map content_id==ID"
        )
    return f"If one of them is meant, say which: --map {column}=HEADER"


def _fits(kind: Kind, header: Sequence[str]) -> bool:
    try:
        return not missing_columns(kind, match_columns(kind, header, {}))
    except Failure:
        return False


def key_of(text: str) -> str:
    """Reduce a header to what it is compared by: its letters and digits, in lower case."""
    return "".join(filter(str.isalnum, text.lower()))


def _listed(header: Sequence[str]) -> str:
    found = ", ".join(text.strip() for text in header if text.strip()) or "nothing"
    return _sayable(found)


def _sayable(text: str) -> str:
    """Cut a text from the file to what can be shown in a sentence."""
    shown = "".join(letter if letter.isprintable() else "?" for letter in text[:_LONGEST_LIST])
    return shown if len(text) <= _LONGEST_LIST else shown + "..."


def _keys_of(header: Sequence[str], taken: set[int]) -> dict[str, list[int]]:
    keys: dict[str, list[int]] = {}
    for place, text in enumerate(header):
        if place not in taken:
            keys.setdefault(key_of(text), []).append(place)
    return keys


def _mapped_place(header: Sequence[str], wanted: str) -> int:
    for same in (str.strip, lambda text: text.strip().casefold(), key_of):
        places = [place for place, text in enumerate(header) if same(text) == same(wanted)]
        if len(places) > 1:
            raise _two_columns(header[places[0]])
        if places and same(wanted):
            return places[0]
    return ABSENT


def _no_column(wanted: str, header: Sequence[str]) -> Failure:
    return Failure("usage", f"The file has no column {wanted!r}.", hint=f"It has: {_listed(header)}.")


def _is_replaced(kind: Kind, column: str, mapping: Mapping[str, str]) -> bool:
    alternatives = _ALTERNATIVES[kind]
    return column in alternatives and any(other in mapping for other in alternatives)


def _find(column: str, aliases: tuple[str, ...], header: Sequence[str], keys: Mapping[str, list[int]]) -> int:
    for key in (key_of(column), *aliases):
        places = keys.get(key, [])
        exact = [place for place in places if header[place].strip() == column]
        if len(exact) == 1:
            return exact[0]
        if len(places) > 1:
            raise _two_columns(header[places[0]])
        if places:
            return places[0]
    return ABSENT


def _two_columns(header: str) -> Failure:
    return Failure(
        "import-rejected",
        f"Two columns of the file are called {header.strip()!r}, and it needs to be known which is meant.",
        hint="Rename or remove one of them, or name another with --map.",
    )


def _settle_doubles(kind: Kind, places: dict[str, int], keys: Mapping[str, list[int]]) -> None:
    """Take back what an alias must not mean here: one column for two, or an ``id`` that is no event's."""
    if kind != "progress":
        return
    if places.get("status") == places.get("completed_at"):
        places.pop("status", None)
    if places.get("event_id") in keys.get("id", []) and not _EVENT_MARKS & keys.keys():
        del places["event_id"]
