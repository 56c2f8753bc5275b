"""Writes what each conversation shows today into its file: `python -m tests.conversations`, then read what changed."""

import os
import sys
import tempfile
import time
from pathlib import Path
from unittest.mock import patch

from tests.conversations.runner import Conversation, turns_of, written
from tests.support.desk import Desk

HERE = Path(__file__).parent


def main(names: list[str]) -> None:
    """Play the conversations of these names, or all, and write them anew."""
    os.environ["TZ"] = "UTC"
    time.tzset()
    for story in [HERE / f"{name}.txt" for name in names] or sorted(HERE.glob("*.txt")):
        about, turns = turns_of(story.read_text(encoding="utf-8"))
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            conversation = Conversation(Desk(Path("home")), Path(folder))
            with patch("getpass.getpass", conversation.typed_token):
                shown = [conversation.play(turn) for turn in turns]
            os.chdir(HERE)
        story.write_text(written(about, turns, shown), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
