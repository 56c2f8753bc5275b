"""How far a long work is, for whoever waits at a terminal: shown once it takes more than a second."""

import time
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from rich import progress

_SHOWN_AFTER = 1.0  # seconds
_BETWEEN = 0.1  # ... two looks at it


class Progress:
    """Is told how far a work is; shows nothing."""

    def step(self, title: str) -> None:
        """Note that a part of the work begins."""

    def at(self, done: int, total: int | None = None) -> None:
        """Note how much of the part is done, of how much where that is known."""

    def close(self) -> None:
        """Take away what is shown."""


class ProgressBar(Progress):
    """Shows it on a terminal as a bar, or as a moving one where the end is not known."""

    def __init__(self, terminal: IO[str], width: int, *, coloured: bool) -> None:
        self._terminal = terminal
        self._width = width
        self._coloured = coloured
        self._started = time.monotonic()
        self._shown_at = 0.0
        self._title = ""
        self._bars: progress.Progress | None = None

    def step(self, title: str) -> None:
        """Show that a part of the work begins."""
        self._title, self._shown_at = title, 0.0
        self.at(0)

    def at(self, done: int, total: int | None = None) -> None:
        """Show how much of the part is done."""
        now = time.monotonic()
        if now - self._started < _SHOWN_AFTER or now - self._shown_at < _BETWEEN:
            return
        self._shown_at = now
        bars = self._bars = self._bars or self._open()
        counted = f"{done:,}" if total is None else f"{done:,} of {total:,}"
        bars.update(
            bars.task_ids[0], description=self._title, completed=done, total=total, counted=counted, refresh=True
        )

    def close(self) -> None:
        """Take the bar away: what came of the work is said by the command."""
        if self._bars is not None:
            self._bars.stop()

    def _open(self) -> "progress.Progress":
        from rich.console import Console  # noqa: PLC0415 - 50 ms, only for who has waited for a second already
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

        console = Console(
            file=self._terminal,
            force_terminal=True,
            color_system="standard" if self._coloured else None,
            width=self._width,
        )
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[counted]}", markup=False),
            TimeElapsedColumn(),
        )
        bars = Progress(*columns, console=console, transient=True)
        bars.add_task(self._title, total=None, counted="")
        bars.start()
        return bars
