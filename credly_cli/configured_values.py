"""What the values of the configuration's keys must be."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Check:
    """What a value must be: in words, by its type, and within which bounds or of which."""

    words: str
    kind: type
    at_least: int | None = None
    at_most: int | None = None
    one_of: tuple[str, ...] = ()
    items: tuple[type, ...] = (str,)  # of a list

    def fits(self, value: Any) -> bool:
        """Tell whether a value may be."""
        if self.one_of and isinstance(value, list):
            return (
                bool(value) and len(set(map(str, value))) == len(value) and all(item in self.one_of for item in value)
            )
        if type(value) is not self.kind:  # not isinstance: a bool is an int to Python, not to a reader
            return False
        if self.one_of:
            return value in self.one_of
        if isinstance(value, list):
            return all(isinstance(item, self.items) for item in value)
        return not isinstance(value, int) or self._within(value)

    def _within(self, number: int) -> bool:
        return (self.at_least is None or number >= self.at_least) and (self.at_most is None or number <= self.at_most)


CHECKS = {
    "bool": Check("true or false", bool),
    "text": Check("text", str),
    "timezone": Check("the name of a time zone", str),
    "oauth": Check("an address like https://www.credly.com/oauth/token", str),
    "address": Check("an address like https://api.credly.com", str),
    "web": Check("an address that begins with https:// or http://", str),
    "list": Check("a list of texts", list),
    "seconds": Check("a whole number of seconds from 0 to a year", int, at_least=0, at_most=366 * 86400),
    "count": Check("a whole number from 1 to 32", int, at_least=1, at_most=32),
    "limit": Check("a whole number from 0", int, at_least=0, at_most=1_000_000_000),
    "words": Check('a table like {"path_completed" = "completed"}', dict),
    "days": Check("a whole number of days from 0 to 3650", int, at_least=0, at_most=3650),
    "files": Check("a list of paths, globs or tables", list, items=(str, dict)),
    "names": Check('a table like {"https://lms.example/course/7" = "first-aid"}', dict),
    "record store": Check("an address like https://lrs.example.com/xapi", str),
    "moment": Check("a date or a time such as 2026-01-01 or 2026-01-01T00:00:00Z, in quotes", str),
    "source": Check(
        "files, thought-industries or xapi, or a list of them", str, one_of=("files", "thought-industries", "xapi")
    ),
}
