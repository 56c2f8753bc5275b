"""Start `credly`, also as ``python -m credly_cli``."""

import os
import signal
import sys
from types import FrameType


def main() -> None:
    """Run the command line; a signal ends it without a traceback also while it is still being read from disk."""
    _listen()
    _open_what_is_closed()
    from credly_cli.app import app  # noqa: PLC0415 - takes a tenth of a second, in which a signal may come

    try:
        app()
    except BrokenPipeError:
        sys.exit(0)
    finally:
        _flush()


def _listen() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)


def _end(number: int, _frame: FrameType | None) -> None:
    os._exit(130 if number == signal.SIGINT else 75)


def _open_what_is_closed() -> None:
    """Let a closed standard stream behave as /dev/null; a file of ours would else get its number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode, encoding="utf-8"))


def _flush() -> None:
    """Drop what cannot be written any more: Python would complain of it once more at the end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


if __name__ == "__main__":
    main()
