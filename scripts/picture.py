"""Draw ``docs/demo.svg``: the real output of `credly demo` in a terminal of 100 columns.

Needs a Unix pseudo-terminal. Run it with `make picture` when the demo changes.
"""

import os
import pty
import re
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

COLUMNS = 100
TARGET = Path(__file__).resolve().parent.parent / "docs" / "demo.svg"
_FONT = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)  # a picture loads nothing from elsewhere
_HYPERLINK = re.compile(r"\x1b]8;[^\x1b]*\x1b\\")


def recorded() -> str:
    """Run the demo in a pseudo-terminal and return what it showed."""
    chunks: list[bytes] = []

    def read(descriptor: int) -> bytes:
        chunk = os.read(descriptor, 65536)
        chunks.append(chunk)
        return chunk

    os.environ |= {"COLUMNS": str(COLUMNS), "TERM": "xterm-256color"}
    os.environ.pop("NO_COLOR", None)
    status = pty.spawn([sys.executable, "-m", "credly_cli", "demo"], read)
    if status:
        raise SystemExit("The demo failed.")
    return _HYPERLINK.sub("", b"".join(chunks).decode().replace("\r\n", "\n"))


def main() -> None:
    """Write the picture."""
    with Path(os.devnull).open("w") as nowhere:
        console = Console(record=True, width=COLUMNS, file=nowhere, force_terminal=True)
        console.print(Text.from_ansi(recorded()))
        picture = console.export_svg(title="credly demo")
        TARGET.write_text(_FONT.sub("", picture), encoding="utf-8")


if __name__ == "__main__":
    main()
