"""Text from elsewhere, made safe to store, and fit to show: in a terminal, a spreadsheet, a sentence, as an address."""

import re

# C0, DEL and C1; soft hyphen, zero-width, bidirectional and line separators; lone surrogates; tags, byte order mark
_INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
_NAMED = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}
_ADDRESS = re.compile(r"[^\s<>\"'(),:;]+@[^\s<>\"'(),:;]+")
_FORMULA = re.compile(r"^\s*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]")


def storable(text: str) -> str:
    """Replace lone surrogates, which are no characters and can be neither stored nor written."""
    return text.encode("utf-8", "replace").decode()


def visible(text: str) -> str:
    """Make everything that a terminal would obey, hide or reorder visible as an escape."""
    return _INVISIBLE.sub(lambda found: _NAMED.get(found[0]) or _escape(found[0]), text)


def _escape(character: str) -> str:
    code = ord(character)
    if code <= 0xFF:  # noqa: PLR2004
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004


def spreadsheet_safe(text: str) -> str:
    """Keep a spreadsheet from running a cell as a formula, and a terminal from obeying it."""
    return f"'{visible(text)}" if _FORMULA.match(text) else visible(text)


def is_web_address(text: str) -> bool:
    """Tell an address that a browser may open from any other, such as ``javascript:``."""
    return text.startswith(("https://", "http://")) and visible(text) == text and " " not in text


def without_addresses(text: str) -> str:
    """Return a text with the addresses in it taken out, for where nobody is to be named."""
    return _ADDRESS.sub("(address)", text)


def counted(number: int, one: str, many: str | None = None) -> str:
    """Say how many there are of something: 1 row, 2 rows."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
