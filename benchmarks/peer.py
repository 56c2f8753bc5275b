"""The same jobs by credly-python-api, a client that nobody here wrote, as its documentation does them.

Run by the interpreter of an environment of its own: ``peer.py read|issue URL [COUNT]``.
"""

import sys

from credly import Client

ORGANIZATION = "11111111-1111-4111-8111-111111111111"


def read(client: Client) -> int:
    """Read all active templates, and keep what a store would keep."""
    templates = client.badge_templates.list(ORGANIZATION, filter="state::active", sort="created_at")
    return len([(each.id, each.name, each.state, each.image_url, each.updated_at) for each in templates])


def issue(client: Client, count: int) -> int:
    """Issue so many badges, one after the other; nothing is stored."""
    ids = [
        client.badges.issue(
            ORGANIZATION,
            badge_template_id="33333333-3333-4333-8333-000000000000",
            recipient_email=f"learner{number}@example.com",
            issued_to_first_name="Robin",
            issued_to_last_name=f"Sample{number}",
            issued_at="2026-02-01 00:00:00 +0000",
            issuer_earner_id=f"L{number}",
        ).id
        for number in range(count)
    ]
    return len(ids)


if __name__ == "__main__":
    theirs = Client("benchmark-token", sys.argv[2])
    sys.stdout.write(str(read(theirs) if sys.argv[1] == "read" else issue(theirs, int(sys.argv[3]))))
