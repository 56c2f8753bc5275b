"""A small school: content, learners and badges by the line, for tests that read like the rules."""

from dataclasses import dataclass
from typing import Any

from tests.support.desk import Desk

ROBIN = "robin@example.org"
BADGE = "First Aid at Work"
AGAIN = "Webinar Participant"  # this badge may be earned several times


@dataclass
class School:
    """A desk with content and learners that come and go."""

    desk: Desk

    def teaches(self, content_id: str, title: str, badge: str | None = None, **columns: str) -> None:
        """Add content, and link a badge to it."""
        row = {"content_id": content_id, "title": title, "type": "course", "status": "published", **columns}
        self.desk.imports("content", f"{','.join(row)}\n{','.join(row.values())}\n")
        if badge is not None:
            self.desk.json("link", badge, content_id)
            self.desk.pass_time(minutes=1)

    def has(self, email: str = ROBIN, **columns: str) -> None:
        """Add a learner with names, or bring one up to date."""
        row = {"email": email, "first_name": "Robin", "last_name": "Lark", **columns}
        self.desk.imports("learners", f"{','.join(row)}\n{','.join(row.values())}\n")

    def gives(self, content_id: str, *, email: str = "", panorama: str = "", sublicense: str = "") -> None:
        """Give content to a learner, a panorama or a sublicense."""
        row = f"{content_id},{email},{panorama},{sublicense}"
        self.desk.imports("access", f"content_id,email,panorama,sublicense\n{row}\n")

    def enrolls(self, content_id: str, email: str = ROBIN, session: str = "", **columns: str) -> None:
        """Enroll a learner, as far as the columns say."""
        row = {"email": email, "content_id": content_id, "session_id": session, **columns}
        self.desk.imports("progress", f"{','.join(row)}\n{','.join(row.values())}\n")

    def completes(self, content_id: str, email: str = ROBIN, session: str = "") -> None:
        """Let a learner complete content now."""
        self.desk.pass_time(minutes=1)
        now = self.desk.clock.now().isoformat()
        self.enrolls(content_id, email, session, status="completed", completed_at=now)
        self.desk.pass_time(minutes=1)

    def widget(self, email: str = ROBIN, **how: Any) -> dict[str, Any]:
        """Return the learner's widget."""
        answer: dict[str, Any] = self.desk.json("widget", email, **how)
        return answer

    def names(self, section: str, email: str = ROBIN) -> list[str]:
        """Return the names of the badges in a section of the learner's widget."""
        return [entry["badge"]["name"] for entry in self.widget(email)[section]]

    def explained(self, badge: str = BADGE, email: str = ROBIN) -> dict[str, Any]:
        """Return what is explained of one badge."""
        (found,) = self.desk.json("explain", email, badge)["badges"]
        assert isinstance(found, dict)
        return found
