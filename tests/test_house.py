"""The house: arrows between rooms point down, libraries and SQL have their rooms, files are small."""

import ast
from collections import Counter

from scripts.house import MOST_LINES, ROOT, House, Module, circles, names_imported

FLOORS = (
    {"__main__", "app"},
    {"commands"},
    {"cli"},
    {
        "sync",
        "importing",
        "linking",
        "issuing",
        "learners",
        "publishing",
        "reports",
        "pages",
        "admin",
        "connection",
        "sandbox",
    },
    {"store", "credly", "lms"},
    {"http"},
    {
        "errors",
        "urls",
        "config",
        "import_options",
        "configured_values",
        "times",
        "identity",
        "text",
        "token",
        "files",
        "signals",
        "output",
        "layout",
        "progress",
    },
)
# Rooms of one floor that may use one another. What the store and its sources say to each other are records.
BESIDE = {
    "__main__": {"app"},
    "sync": {"importing", "issuing", "connection", "linking"},
    "learners": {"issuing", "linking"},
    "issuing": {"linking"},
    "reports": {"pages", "issuing"},
    "pages": {"learners"},
    "publishing": {"learners", "pages", "connection", "issuing"},
    "admin": {"connection", "linking", "publishing"},
    "store": {"credly.records", "lms.records"},
}
LIBRARIES = {
    "typer": {"app", "cli", "commands"},
    "rich": {"layout", "progress"},
    "requests": {"http"},
    "urllib3": {"http"},
    "sqlite_utils": {"store"},
    "jinja2": {"pages"},
}

HOUSE = House(ROOT)


def floor(room: str) -> int:
    return next(number for number, rooms in enumerate(FLOORS) if room in rooms)


def may_use(user: Module, used: Module) -> bool:
    beside = BESIDE.get(user.room, set())
    here, there = floor(user.room), floor(used.room)
    return (
        user.room == used.room
        or there > here
        or here == len(FLOORS) - 1 == there
        or not beside.isdisjoint({used.room, used.name})
    )


def wrong_arrows() -> set[str]:
    pairs = {(HOUSE.modules[user], HOUSE.modules[used]) for user, used in HOUSE.imports if used}
    return {f"{user.name} uses {used.name}" for user, used in pairs if not may_use(user, used)}


def strange_libraries() -> set[str]:
    used = {(module, name.partition(".")[0]) for module in HOUSE.modules.values() for name in names_imported(module)}
    return {
        f"{module.name} uses {name}" for module, name in used if module.room not in LIBRARIES.get(name, {module.room})
    }


def sql_outside_the_store() -> set[str]:
    return {
        f"{module.name} has SQL" for module in HOUSE.modules.values() if module.room != "store" and any(module.sql())
    }


def test_every_room_has_its_floor() -> None:
    assert {module.room for module in HOUSE.modules.values() if module.name} == set.union(*FLOORS)


def test_arrows_point_down_and_libraries_and_sql_are_where_they_belong() -> None:
    found = wrong_arrows() | strange_libraries() | sql_outside_the_store()
    found |= {f"circle: {' '.join(sorted(circle))}" for circle in circles(HOUSE.arrows())}
    assert sorted(found) == []


def test_files_and_functions_fit_a_readers_head() -> None:
    assert [module.name for module in HOUSE.modules.values() if module.lines > MOST_LINES] == []
    assert list(HOUSE.long_functions()) == []


def test_each_module_says_what_is_in_it_in_a_first_line_of_its_own() -> None:
    lines = Counter((ast.get_docstring(module.tree) or "").partition("\n")[0] for module in HOUSE.modules.values())
    assert [line for line, times in lines.items() if times > 1 or not line] == []
