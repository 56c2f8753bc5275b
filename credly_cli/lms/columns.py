"""Which column of a file is which: by its own name, by the names that other systems give it, or by ``--map``.

Headers are compared by their letters and digits only, so ``First Name``, ``first_name`` and ``firstName`` are one. Of
the names of a column the first that the file has is taken; the name of our own comes first.
"""

import re
import shlex
import unicodedata
from collections.abc import Mapping, Sequence, Set
from datetime import UTC
from functools import cache
from typing import NamedTuple

from credly_cli.errors import Failure
from credly_cli.import_options import Kind
from credly_cli.lms.column_names import (
    ADDRESS,
    ALTERNATIVES,
    BEFORE_OWN,
    COLUMNS,
    CONTENT_ID,
    FOREIGN_LEARNER_ID,
    LEARNER_ID,
    LICENSE,
    LIKE_COMPLETION,
    LOGIN,
    NOT_THEIRS,
    OTHER_NAME,
    OUTCOME,
    PANORAMA,
    REQUIRED,
    SAME_ADDRESS,
    SUBLICENSE,
    TITLE,
    WHETHER_PASSED,
)
from credly_cli.lms.records import Reading, Understood
from credly_cli.lms.zones import may_name_a_zone, named_in
from credly_cli.text import Command, Hint

_EVENT_MARKS = frozenset({"timestamp", "notifiableid", "event"})  # without one of these an "id" is not an event's
_LONGEST_LIST = 500
_MOST_UNUSED = 100
_BRACKET = re.compile(r"(?P<header>.*\S)\s*\((?P<inside>[^()]*)\)\s*", re.DOTALL)
_REMARKS = frozenset({"required", "optional", "mandatory"})
_LIKE_ADDRESS = ("email", "courriel", "correo", "メール")
_ZONES = frozenset({"timezone", "tz", "completiontimezone", "completedtimezone"})
_OF_COMPLETION = frozenset({"completedat", *COLUMNS["progress"]["completed_at"]}) - {"completed", "coursecomplete"}
_POSITION = re.compile(r"#(\d{1,5})")
_ACCENTS = re.compile("[\u0300-\u036f]")
ABSENT = -1


class Columns(NamedTuple):
    """Where the columns of a file are; ``emails`` are all that may hold the address, the best first.

    ``outcomes`` are those that may say beside the status that somebody failed.
    """

    header: Sequence[str]
    places: Mapping[str, int]
    emails: tuple[int, ...]
    outcomes: tuple[int, ...] = ()

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
    return tuple(COLUMNS[kind])


def check_mapping(kind: Kind, mapping: Mapping[str, str]) -> None:
    """Refuse columns that this kind of file does not have."""
    for column in mapping:
        if column not in COLUMNS[kind]:
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
    for column, aliases in COLUMNS[kind].items():
        names = () if _is_replaced(kind, column, mapping) else aliases
        ordered = (*BEFORE_OWN.get((kind, column), ()), key_of(column), *names)
        if column not in mapping and (place := _find(ordered, column, header, keys)) != ABSENT:
            places[column] = place
    _settle_doubles(kind, places, keys)
    is_login = "email" in places and "email" not in mapped and header_key(header[places["email"]]) in LOGIN
    if is_login and any(map(_may_be_their_address, keys)):  # by a name that is not known
        del places["email"]
    _find_other_name(places, keys)
    emails = [places["email"]] if "email" in places else []
    if "email" not in mapped and emails:
        other_headers = SAME_ADDRESS.get(header_key(header[emails[0]]), LOGIN)
        emails += [keys[key][0] for key in other_headers if key in keys and keys[key][0] not in emails]
    outcomes = _outcomes_in(keys, set(places.values())) if kind == "progress" else ()
    return Columns(header, places, tuple(emails), outcomes)


def _may_be_their_address(key: str) -> bool:
    return any(word in key for word in _LIKE_ADDRESS) and not any(word in key for word in NOT_THEIRS)


def _outcomes_in(keys: Mapping[str, Sequence[int]], used: Set[int]) -> tuple[int, ...]:
    found = (places for key, places in keys.items() if key in WHETHER_PASSED or key in OUTCOME)
    return tuple(sorted(place for places in found for place in places if place not in used))


def missing_columns(kind: Kind, columns: Columns) -> list[str]:
    """Name the required columns that a file does not have."""
    return [" or ".join(group) for group in REQUIRED[kind] if not any(column in columns.places for column in group)]


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
    keys = {header_key(text) for text in columns.header}
    other = _kind_of(keys)
    if kind == "progress" and column == "content_id" and "email" in columns.places:
        advice = (
            "say which column is meant: --map content_id=HEADER, by titles --map content_title=HEADER, "
            "or, for a report of one course: --map content_id==ID"
        )
        if other == "learners" and not keys & _OF_PROGRESS:
            return f"It looks like a file of learners. If not, {advice}"
        return "S" + advice[1:]
    if column == "email" and (headers := [text for text in columns.header if _may_be_their_address(key_of(text))]):
        return f"Say which column has the learner's address: --map email={shlex.quote(_sayable(headers[0].strip()))}"
    if other not in (None, kind):
        return f"It looks like a file of {other}. If not, say which column is meant: --map {column}=HEADER"
    return f"If one of them is meant, say which: --map {column}=HEADER"


_PERSON = frozenset({"email", *ADDRESS})
_COURSE = frozenset({"contentid", *CONTENT_ID, *TITLE, "notifiableid"}) - {"title", "content", "module", "objectid"}
_OF_PROGRESS = frozenset({
    "status", "progress", "completedat", "enrolledat", "timestamp",
    *(alias for column in ("status", "progress", "completed_at", "enrolled_at")
      for alias in COLUMNS["progress"][column]),
}) - {"source", "type", "event"}  # fmt: skip
_OF_TENANTS = frozenset({"panorama", "sublicense", *PANORAMA, *SUBLICENSE})


def looks_like(header: Sequence[str], kind: Kind) -> Kind | None:
    """Return the other kind that a header is of, ``None`` where it may be of this one."""
    keys = {header_key(text) for text in header}
    found = _kind_of(keys, kind)
    return found if found != kind and not _may_be(kind, found, keys) else None


def _kind_of(keys: Set[str], kind: Kind | None = None) -> Kind | None:
    has_person = bool(keys & _PERSON)
    has_id = bool(keys & {"learnerid", *LEARNER_ID, *FOREIGN_LEARNER_ID})
    has_course = bool(keys & _COURSE)
    found: Kind | None = None
    if has_course and (has_person or has_id) and keys & _OF_PROGRESS and not (kind == "learners" and not has_person):
        found = "progress"
    elif has_course and (has_person or keys & _OF_TENANTS) and keys & {"contentid", *CONTENT_ID}:
        found = "content" if keys & {"title", "contenttitle"} and not has_person else "access"
    elif has_person and not has_course:
        found = "learners"
    elif (has_course or {"id", "title"} <= keys) and not has_person and not has_id:
        found = "content"
    return found


def _may_be(kind: Kind, found: Kind | None, keys: Set[str]) -> bool:
    """Tell whether a header that looks like another kind may be of this one all the same."""
    if found == "access":
        return kind == "content" or (kind == "progress" and not keys & _OF_TENANTS)
    if found == "learners":
        return kind == "progress"
    return found == "content" and kind in ("progress", "access")


def refuse_another_kind(kind: Kind, columns: Columns, mapping: Mapping[str, str], name: str) -> None:
    """Refuse a file that has the columns of a kind and looks like another, unless one of these was named."""
    if any(column in mapping for group in REQUIRED[kind] for column in group):
        return
    if other := looks_like(columns.header, kind):
        column = REQUIRED[kind][0][0]
        raise Failure(
            "import-rejected",
            f"{name} looks like a file of {other}, not of {kind}. It has: {_listed(columns.header)}.",
            hint=Hint(
                "Next:",
                Command("import", other, name),
                f". If it is one of {kind}, name a column: --map {column}={columns.label(column)}",
            ),
        )


def note_columns(kind: Kind, columns: Columns, understood: Understood, reading: Reading) -> None:
    """Note which columns of a file are used, which are not, and which of these look like a completion."""
    used = set(columns.places.values()) | set(columns.emails)
    headers = {column: columns.label(column).removeprefix("=") for column in columns.places}
    understood.used.update({column: header for column, header in headers.items() if header})
    for place, text in enumerate(columns.header):
        header = text.strip()
        if place in used or not header or header in understood.unused or len(understood.unused) >= _MOST_UNUSED:
            continue
        understood.unused.append(header)
        key = key_of(header)
        is_known = place in columns.outcomes and "completed_at" in columns.places
        if kind == "progress" and not is_known and any(part in key for part in LIKE_COMPLETION) and key[:3] != "end":
            understood.like_completion.append(header)
    if kind == "progress":
        _note_what_is_missed(columns, understood, reading)


def _note_what_is_missed(columns: Columns, understood: Understood, reading: Reading) -> None:
    """Say what a file has that may matter and is not used: addresses, zones, other times of completion."""
    times = columns.at("completed_at"), columns.at("timestamp")
    is_chosen = "completed_at" not in columns.places or "completed_at" in reading.mapping
    for place, header in enumerate(map(str.strip, columns.header)):
        key, named = key_of(header), f"{_sayable(header)!r}"
        if not columns.emails and any(word in key for word in _LIKE_ADDRESS):
            understood.warn(f"{named} is not used: --map email={shlex.quote(header)} if it is the learner's.")
        elif key in _ZONES and "completed_at" in columns.places:
            understood.warn(f"{named} is not used: a time without a zone is read by --timezone (UTC).")
        elif not is_chosen and place not in times and header_key(header) in _OF_COMPLETION:
            way = f"--map completed_at={shlex.quote(header)} if it is the time of completion"
            understood.warn(f"{named} is not used, but {columns.label('completed_at')!r}: {way}.")
        elif place in times and reading.zone is UTC and may_name_a_zone(header):
            understood.warn(f"{named} names no zone that is known: a time without one is read by --timezone (UTC).")


def could_be_header(cells: Sequence[str]) -> bool:
    """Tell whether a row could be the header of a table: different words, and some that columns are known by."""
    filled = [cell for cell in map(str.strip, cells) if cell]
    if len(filled) < 2 or any("@" in cell or not any(map(str.isalpha, cell)) for cell in filled):  # noqa: PLR2004
        return False
    keys = [header_key(cell) for cell in filled]
    if len(set(keys)) < len(keys):  # as in a row of a course that is called Course
        return False
    known = [key for key in keys if key in _all_names()]
    if len(known) < 2 and (len(filled) < 3 or _PERSON.isdisjoint(known)):  # noqa: PLR2004
        return False
    return any(_fits(kind, cells) for kind in COLUMNS)


def _fits(kind: Kind, header: Sequence[str]) -> bool:
    try:
        return not missing_columns(kind, match_columns(kind, header, {}))
    except Failure:
        return True  # but for two columns of one name


@cache
def _all_names() -> frozenset[str]:
    names = {key_of(column) for columns in COLUMNS.values() for column in columns}
    return frozenset(names.union(*(aliases for columns in COLUMNS.values() for aliases in columns.values())))


def key_of(text: str) -> str:
    """Reduce a text to what it is compared by: its letters and digits, in lower case and without accents."""
    if not text.isascii():
        parts = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text))
        text = unicodedata.normalize("NFC", _ACCENTS.sub("", parts)).casefold()
    return "".join(filter(str.isalnum, text.lower()))


def _listed(header: Sequence[str]) -> str:
    found = ", ".join(text.strip() for text in header if text.strip() and not text.startswith("=")) or "nothing"
    return _sayable(found)


def _sayable(text: str) -> str:
    """Cut a text from the file to what can be shown in a sentence."""
    shown = "".join(letter if letter.isprintable() else "?" for letter in text[:_LONGEST_LIST])
    return shown if len(text) <= _LONGEST_LIST else shown + "..."


def _keys_of(header: Sequence[str], taken: set[int]) -> dict[str, list[int]]:
    keys: dict[str, list[int]] = {}
    for place, text in enumerate(header):
        if place not in taken:
            keys.setdefault(header_key(text), []).append(place)
    return keys


def header_key(text: str) -> str:
    """Reduce a header to what it is compared by; signs count, a zone or a remark in brackets does not."""
    key = key_of(text)
    if "%" in text or "#" in text:
        return key_of(text.replace("%", " percent ").replace("#", " number "))
    if text.rstrip().endswith(")") and (bracket := _BRACKET.fullmatch(text)) and key_of(bracket["inside"]) in _REMARKS:
        return key_of(bracket["header"])
    if (named := named_in(text)) is not None:
        return key_of(named.header)
    return key


def _mapped_place(header: Sequence[str], wanted: str) -> int:
    for normalized in (str.strip, lambda text: text.strip().casefold(), key_of):
        places = [place for place, text in enumerate(header) if normalized(text) == normalized(wanted)]
        if len(places) > 1:
            raise _two_columns(header[places[0]])
        if places and normalized(wanted):
            return places[0]
        if position := _POSITION.fullmatch(wanted.strip()):
            place = int(position[1]) - 1
            return place if 0 <= place < len(header) else ABSENT
    return ABSENT


def _no_column(wanted: str, header: Sequence[str]) -> Failure:
    return Failure("usage", f"The file has no column {wanted!r}.", hint=f"It has: {_listed(header)}.")


def _is_replaced(kind: Kind, column: str, mapping: Mapping[str, str]) -> bool:
    alternatives = ALTERNATIVES[kind]
    return column in alternatives and any(other in mapping for other in alternatives)


def _find(names: Sequence[str], column: str, header: Sequence[str], keys: Mapping[str, list[int]]) -> int:
    for key in names:
        places = keys.get(key, [])
        exact = [place for place in places if header[place].strip() == column]
        if len(exact) == 1:
            return exact[0]
        if len(places) > 1:
            raise _two_columns(header[places[0]])
        if places:
            return places[0]
    return ABSENT


def _find_other_name(places: dict[str, int], keys: Mapping[str, list[int]]) -> None:
    """Where a file has a column for one of two names, find that of the other by a word that alone may mean both."""
    if ("first_name" in places) == ("last_name" in places):
        return
    used = set(places.values())
    for key in OTHER_NAME:
        if key in keys and keys[key][0] not in used - {places.get("full_name")}:
            places["full_name"] = keys[key][0]
            return


def _two_columns(header: str) -> Failure:
    return Failure(
        "import-rejected",
        f"Two columns of the file are called {header.strip()!r}, and it needs to be known which is meant.",
        hint="Rename or remove one of them, or name another with --map.",
    )


def _settle_doubles(kind: Kind, places: dict[str, int], keys: Mapping[str, list[int]]) -> None:
    """Take back what an alias must not mean here: one column for two, an ``id`` of no event, a nurse's licence."""
    if kind != "progress":
        is_licence = any(places.get("sublicense", ABSENT) in keys.get(key, ()) for key in LICENSE)
        if kind == "learners" and is_licence and "panorama" not in places:
            del places["sublicense"]
        return
    if places.get("status") == places.get("completed_at"):
        places.pop("status", None)
    if places.get("event_id") in keys.get("id", []) and not _EVENT_MARKS & keys.keys():
        del places["event_id"]
