"""Start `credly`, also as ``python -m credly_cli``."""

import os
import sys

from credly_cli.app import app


def main() -> None:
    """Run the command line; a closed pipe ends it quietly."""
    try:
        app()
    except BrokenPipeError:
        # Python would complain once more when it flushes standard output at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


if __name__ == "__main__":
    main()
