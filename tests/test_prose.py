"""On a terminal of any width sentences break between words, and within no address, id or command."""

import re
from collections.abc import Callable

import pytest

from credly_cli import layout
from tests.rules.admin import FIRST_AID
from tests.support.desk import ConnectedAfter, Desk, Ran

LONGEST = "wilhelmina.featherstonehaugh-cholmondeley@department-of-administration.example.org"
NAMES = "Wilhelmina Augusta Charlotte,Featherstonehaugh-Cholmondeley-Marjoribanks"
WIDTHS = (60, 80, 140)
AT = "2026-03-02T09:00:00Z"


def fill_office(desk: Desk) -> None:
    for name in ("First Aid Course", "Kitchen Hygiene"):
        desk.json("link", FIRST_AID if name == "First Aid Course" else "Facilitator", name)
    desk.learns(
        f"{LONGEST},hygiene,,completed,{AT},{NAMES}",
        f"{LONGEST},first-aid,first-aid-march,completed,2026-03-02T09:40:00Z,{NAMES}",
        "noname@example.org,first-aid,first-aid-march,completed,2026-03-02T09:40:00Z,,",
    )
    desk.pass_time(hours=1)
    desk.json("sync", code=3)


@pytest.fixture
def office(connected_after: ConnectedAfter) -> Desk:
    """A desk with a learner of long names, who holds a badge, missed one and gets one."""
    return connected_after(fill_office)


SCREENS: dict[str, tuple[str, ...]] = {
    "status": ("status",),
    "explain": ("explain", LONGEST),
    "explain one": ("explain", "noname@example.org", FIRST_AID),
    "learner-badges": ("learner-badges", LONGEST),
    "widget": ("widget", LONGEST),
    "missed": ("missed",),
    "grants": ("grants",),
    "learners": ("learners",),
    "badges": ("badges",),
    "content": ("content",),
    "sync": ("sync",),
    "dry run": ("sync", "--dry-run"),
    "unlink": ("unlink", FIRST_AID),
    "later since": ("link", FIRST_AID, "first-aid", "--since", "2026-03-03"),
    "nobody": ("explain", "featherstonehaugh"),
    "unknown badge": ("link", "First Ade", "first-aid"),
    "revoke": ("revoke",),
    "disconnect": ("disconnect", "--yes"),
    "config": ("config", "path"),
    "doctor": ("doctor",),
}
_COPIED = re.compile(r"[^\s()<>,;]*(?:@|://)[^\s()<>,;]*[^\s()<>,;.:]|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def at_width(desk: Desk, width: int, *words: str) -> Ran:
    return desk.run(*words, terminal=True, environ={"COLUMNS": str(width), "NO_COLOR": "1"})


def whole(text: str) -> str:
    """Return a text in one line, as the same words would stand on a terminal without an end."""
    return " ".join(text.split())


@pytest.mark.sampled
@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_that_is_copied_is_broken_and_no_line_is_too_long(office: Desk, screen: str, width: int) -> None:
    with_room = at_width(office, 10_000, *SCREENS[screen]) if screen not in CHANGING else None
    ran = at_width(office, width, *SCREENS[screen])
    for line in (ran.out + ran.err).splitlines():
        longest = max((len(layout.plain(word)) for word in layout.joined(line).split()), default=0)
        assert len(line.rstrip()) <= max(width, longest + INDENT), line
    if with_room is not None:
        for copied in _COPIED.findall(with_room.out + with_room.err):
            assert copied in ran.out + ran.err, copied


CHANGING = ("sync", "unlink", "later since", "disconnect", "doctor")  # a second time they say something else
INDENT = 30  # of a command or address at the end of a line that begins with a word, such as "Learner: "


@pytest.mark.sampled
@pytest.mark.parametrize("screen", [name for name in SCREENS if name not in CHANGING])
@pytest.mark.parametrize("width", WIDTHS)
def test_sentences_are_the_same_at_any_width(office: Desk, screen: str, width: int) -> None:
    """What stands beside tables on standard error."""
    wide, narrow = at_width(office, 10_000, *SCREENS[screen]), at_width(office, width, *SCREENS[screen])
    told = [whole(text.partition("Columns left out")[0]) for text in (wide.err, narrow.err)]
    assert told[0] == told[1]


@pytest.mark.parametrize("width", WIDTHS)
def test_the_command_of_a_hint_is_one_line(office: Desk, width: int) -> None:
    ran = at_width(office, width, "unlink", FIRST_AID)
    listing = "credly grants --badge first-aid-at-work --content first-aid --state issued --csv"
    assert listing in [line.strip().removesuffix(".") for line in ran.err.splitlines()] or f" {listing}" in ran.err


@pytest.mark.parametrize(
    ("sentence", "commands"),
    [
        (
            "To send it: credly retry 12; to leave it: credly resolve 12 --drop",
            ["credly retry 12", "credly resolve 12 --drop"],
        ),
        ("They are cancelled, as credly missed shows.", ["credly missed"]),
        ("credly explain tells why.", ["credly explain"]),
        ("To link: credly link hygiene course --since DATE and go", ["credly link hygiene course --since DATE"]),
        ("Run: credly link 'First Aid at Work' first-aid", ["credly link 'First Aid at Work' first-aid"]),
        ("Run: credly --profile sandbox sync", ["credly --profile sandbox sync"]),
        ("Import it: credly import learners FILE", ["credly import learners FILE"]),
        ("The log is credly.log, of credly-cli.", []),
    ],
)
def test_a_command_in_a_sentence_is_recognised(sentence: str, commands: list[str]) -> None:
    joined = [layout.plain(word) for word in layout.joined(sentence).split(" ")]
    assert [word.rstrip(".;,") for word in joined if " " in word] == [one for one in commands if " " in one]


def test_a_line_goes_on_where_it_began(office: Desk) -> None:
    """What is indented stays so."""
    ran = at_width(office, 40, "status")
    lines = ran.out.splitlines()
    first = next(number for number, line in enumerate(lines) if "held" in line and line.startswith("  "))
    assert lines[first + 1].startswith("  ")


@pytest.mark.parametrize("by", [lambda desk: desk.run("status"), lambda desk: desk.run("unlink", FIRST_AID)])
def test_in_a_pipe_no_sentence_is_broken(office: Desk, by: Callable[[Desk], Ran]) -> None:
    ran = by(office)
    assert all(line.endswith((".", ")")) or "credly " in line or "http" in line for line in ran.err.splitlines())


def test_wide_letters_take_two_columns() -> None:
    assert layout.wrapped("応急 手当 講習", 9) == "応急 手当\n講習"


@pytest.mark.parametrize(
    "copied",
    [
        'homes = {"https://lms.example" = ""}',
        'values = {status = {"Signed off" = "completed"}}',
        'ids = {"5" = "same"}',
        "--header-line 10",
        "--map completed_at='Last Leave'",
        "--id 5=new",
    ],
)
@pytest.mark.parametrize("width", [*range(20, 100, 7)])
def test_a_setting_or_an_option_with_its_value_is_not_broken(copied: str, width: int) -> None:
    text = f"Say in config.toml, under [lms.xapi], whose numbering that is: {copied} if it is so, and sync again."
    lines = layout.wrapped(text, width).split("\n")
    assert any(copied in line for line in lines)
    assert " ".join(lines) == text


def test_spaces_that_stand_together_are_one_where_a_line_is_broken() -> None:
    assert layout.wrapped("alpha  beta   gamma delta epsilon", 14) == "alpha beta\ngamma delta\nepsilon"
