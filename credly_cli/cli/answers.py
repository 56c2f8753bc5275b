"""The keys and types of every ``--json`` answer, as data: what scripts may rely on.

Keys may be added, never removed;
one that is added is added here too, so that the reference and `--json-schema` tell it.

A shape is a type, a dictionary of shapes, a list with the shape of its items, or a tuple of alternatives.
"""

from typing import Any

TEXT, NUMBER, YES_NO = str, int, bool
MAYBE = (str, None)

BADGE = {"id": TEXT, "name": TEXT, "image_url": MAYBE}
CONTENT = {"id": TEXT, "title": TEXT, "type": MAYBE}
LEARNER = {"email": TEXT, "first_name": MAYBE, "last_name": MAYBE, "learner_id": MAYBE}
ERROR = {"code": TEXT, "message": TEXT, "hint": MAYBE}
FAILURE = {"error": ERROR}
STATES = ("planned", "sending", "uncertain", "issued", "covered", "held", "failed", "cancelled")

_ROWS = {"read": NUMBER, "added": NUMBER, "changed": NUMBER, "unchanged": NUMBER, "rejected": NUMBER}
_LMS = {
    **dict.fromkeys(("learners", "content", "access"), _ROWS),
    "progress": (_ROWS, {**_ROWS, "left_out": NUMBER}),  # of a record store
}
_CHANGES = {"added": NUMBER, "changed": NUMBER, "unchanged": NUMBER, "removed": NUMBER}
_LINK = {
    "changed": YES_NO,
    "badge": BADGE,
    "content": (CONTENT, None),
    "counts_from": MAYBE,
    "earlier": NUMBER,
    "held_already": NUMBER,
    "born_expired": NUMBER,
    "cancelled": NUMBER,
    "out": NUMBER,
}
GRANT = {
    "id": NUMBER,
    "state": TEXT,
    "reason": TEXT,
    "email": TEXT,
    "learner_id": MAYBE,
    "badge": BADGE,
    "content": (CONTENT, None),
    "session_id": MAYBE,
    "completed_at": MAYBE,
    "issued_at": TEXT,
    "issued_badge_id": MAYBE,
    "badge_state": MAYBE,
    "badge_url": MAYBE,
    "file": MAYBE,
    "attempts": NUMBER,
    "problem": MAYBE,
    "created_at": TEXT,
    "updated_at": TEXT,
}

_SANDBOX = dict.fromkeys(("url", "token", "organization", "connect", "client_id", "client_secret", "oauth_url"), TEXT)

SHAPES: dict[str, Any] = {
    "connect": {
        "connected": YES_NO,
        "organization": {"id": TEXT, "name": TEXT},
        "api_url": TEXT,
        "token_source": TEXT,
        "token_expires_at": MAYBE,
        "token_expiry": TEXT,
    },
    "disconnect": {"connected": YES_NO, "purged": YES_NO, "left": [TEXT]},
    "badges": [
        {
            "id": TEXT,
            "name": TEXT,
            "state": TEXT,
            "slug": MAYBE,
            "url": MAYBE,
            "image_url": MAYBE,
            "allow_duplicates": YES_NO,
            "created_at": MAYBE,
            "updated_at": MAYBE,
            "content": (CONTENT, None),
            "counts_from": MAYBE,
        }
    ],
    "content": [
        {
            "id": TEXT,
            "title": TEXT,
            "type": MAYBE,
            "released": YES_NO,
            "url": MAYBE,
            "sessions": [{"id": TEXT, "title": MAYBE}],
            "badges": [BADGE],
        }
    ],
    "learners": [
        {**LEARNER, "panorama": MAYBE, "sublicense": MAYBE, "sublicenses": [TEXT], "former_emails": [TEXT]}
    ],
    "link": _LINK,
    "unlink": _LINK,
    "sync": {
        "status": TEXT,
        "dry_run": YES_NO,
        "badges": _CHANGES,
        "unlinked": [{"badge": BADGE, "content": CONTENT, "reason": TEXT}],
        "lms": (_LMS, {**_LMS, "sources": dict}),
        "issued_badges": _CHANGES,
        "grants": dict.fromkeys(
            ("planned", "issued", "adopted", "covered", "uncertain", "held", "failed", "cancelled", "revoked"), NUMBER
        ),
        "problems": [
            {
                "code": TEXT,
                "message": TEXT,
                "email": MAYBE,
                "badge_id": MAYBE,
                "grant_id": (NUMBER, None),
                "hint": MAYBE,
            }
        ],
        "warnings": [TEXT],
        "started_at": TEXT,
        "finished_at": TEXT,
    },
    "sync, dry run": {},  # as sync, with the plan: below
    "grants": [GRANT],
    "grant": {"changed": YES_NO, "grant": GRANT},
    "grant, several": {
        "results": [{"email": TEXT, "changed": YES_NO, "grant": (GRANT, None), "error": (ERROR, None)}]
    },
    "grant, list": [
        {
            "badge": BADGE, "content": CONTENT, "session_id": MAYBE, "progress": (NUMBER, float, None),
            "completed_at": MAYBE,
        }
    ],
    "retry": {"planned": NUMBER},
    "resolve": {"changed": YES_NO, "grant": GRANT},
    "resolve, several": {"changed": YES_NO, "grant": GRANT, "results": [{"changed": YES_NO, "grant": GRANT}]},
    "learner-badges": {
        "learner": LEARNER,
        "source": TEXT,
        "as_of": MAYBE,
        "badges": [
            {
                "id": TEXT,
                "badge": BADGE,
                "resource": (CONTENT, None),
                "awarded_at": MAYBE,
                "expires_at": MAYBE,
                "expired": YES_NO,
                "state": TEXT,
                "view_url": MAYBE,
                "accept_url": MAYBE,
            }
        ],
    },
    "widget": {
        "learner": LEARNER,
        "source": TEXT,
        "as_of": MAYBE,
        "in_progress": [
            {"badge": BADGE, "content": CONTENT, "progress": (float, int, None), "on_its_way": YES_NO, "url": MAYBE}
        ],
        "discover": [{"badge": BADGE, "content": CONTENT, "url": MAYBE}],
        "earned": [
            {
                "id": TEXT,
                "badge": BADGE,
                "content": (CONTENT, None),
                "awarded_at": MAYBE,
                "expires_at": MAYBE,
                "expired": YES_NO,
                "state": TEXT,
                "url": MAYBE,
                "accept_url": MAYBE,
            }
        ],
    },
    "explain": {
        "learner": LEARNER,
        "badges": [
            {
                "badge": BADGE,
                "content": (CONTENT, None),
                "decision": TEXT,
                "cause": TEXT,
                "file": MAYBE,
                "checks": [{"code": TEXT, "ok": (YES_NO, None), "message": TEXT}],
            }
        ],
    },
    "missed": [
        {"email": TEXT, "badge": BADGE, "content": CONTENT, "session_id": MAYBE, "completed_at": TEXT, "reason": TEXT}
    ],
    "import": {
        "kind": TEXT,
        **_ROWS,
        "undone": NUMBER,
        "readdressed": [{"learner_id": MAYBE, "from": TEXT, "to": TEXT}],
        "rejects_file": MAYBE,
        "rejects_files": [TEXT],
        "completions": NUMBER,
        "completed_from": MAYBE,
        "completed_to": MAYBE,
        "left_out": NUMBER,
        "dry_run": YES_NO,
        "files": [
            {
                "file": TEXT,
                "header_line": (NUMBER, None),
                "columns": {"used": dict, "unused": [TEXT]},
                "names_split": NUMBER,
                "unknown_values": [{"column": TEXT, "value": TEXT, "rows": NUMBER}],
                "rows": [dict],
            }
        ],
        "warnings": [TEXT],
    },
    "forget": {
        "changed": YES_NO,
        "learners": NUMBER,
        "enrollments": NUMBER,
        "grants": NUMBER,
        "wiped": YES_NO,
        "cancelled": NUMBER,
        "issued_badges": NUMBER,
        "pages": NUMBER,
        "folders": [TEXT],
        "left": [TEXT],
    },
    "config": [{"key": TEXT, "value": (TEXT, int, float, YES_NO, None, {}, [(TEXT, {})]), "source": TEXT}],
    "config, path": {"path": TEXT},
    "config, init": {"path": TEXT},
    "config, check": {"path": TEXT, "exists": YES_NO},
    "publish": {
        "pages": NUMBER, "written": NUMBER, "unchanged": NUMBER, "removed": NUMBER, "manifest": MAYBE,
        "dry_run": YES_NO,
    },
    "status": {
        "connected": YES_NO,
        "organization": ({"id": TEXT, "name": TEXT}, None),
        "api_url": MAYBE,
        "connected_at": MAYBE,
        "token_expires_at": MAYBE,
        "token_expiry": TEXT,
        "token_since": MAYBE,
        "profile": TEXT,
        "enabled": YES_NO,
        "configuration": TEXT,
        "store": TEXT,
        "badges": NUMBER,
        "linked": NUMBER,
        "content": NUMBER,
        "learners": NUMBER,
        "grants": dict.fromkeys((*STATES, "revoked"), NUMBER),
        "last_sync": (
            {
                "status": MAYBE,
                "started_at": TEXT,
                "finished_at": MAYBE,
                "problem": ({"code": TEXT, "message": TEXT}, None),
            },
            None,
        ),
        "last_good_sync": MAYBE,
        "needs_person": NUMBER,
        "waiting_for_person": [{"code": TEXT, "message": TEXT, "hint": MAYBE, "count": NUMBER}],
    },
    "doctor": {"checks": [{"name": TEXT, "ok": YES_NO, "warning": YES_NO, "message": TEXT, "hint": MAYBE}]},
    "profiles": [{"name": TEXT, "connected": YES_NO, "organization": (TEXT, {"id": TEXT, "name": TEXT}, None),
                  "current": YES_NO}],
    "report": {
        "months": [{"month": TEXT, "issued": NUMBER}],
        "badges": [
            {"badge": BADGE, "issued": NUMBER, "pending": NUMBER, "accepted": NUMBER, "rejected": NUMBER,
             "revoked": NUMBER}
        ],
        "funnel": dict.fromkeys(("pending", "accepted", "rejected", "revoked"), NUMBER),
        "expiring": dict.fromkeys(("30", "60", "90"), NUMBER),
        "failures": [{"code": TEXT, "count": NUMBER, "reasons": [{"message": TEXT, "count": NUMBER}]}],
    },
    "demo": {"steps": [{"command": TEXT, "exit_code": NUMBER, "output": TEXT}], "home": MAYBE},
    "sandbox": (_SANDBOX, {**_SANDBOX, "lrs": {"endpoint": TEXT, "user": TEXT, "password": TEXT}}),
}  # fmt: skip
SHAPES["sync, dry run"] = {**SHAPES["sync"], "plan": [{**GRANT, "id": None, "waits_until": MAYBE}]}


_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean", None: "null"}


def schema() -> dict[str, Any]:
    """Return one JSON schema of every answer: each by its name in ``$defs``."""
    names = {**SHAPES, "failure": FAILURE}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The answers of credly with --json",
        "description": "By the name of the command; a command that fails answers as `failure`. Keys may be added.",
        "anyOf": [{"$ref": f"#/$defs/{name.replace(' ', '%20')}"} for name in names],
        "$defs": {name: _schema_of(shape) for name, shape in names.items()},
    }


def _schema_of(shape: Any) -> dict[str, Any]:
    if isinstance(shape, tuple):
        return {"anyOf": [_schema_of(one) for one in shape]}
    if isinstance(shape, list):
        return {"type": "array", "items": _schema_of(shape[0])}
    if isinstance(shape, dict):
        members = {key: _schema_of(value) for key, value in shape.items()}
        return {"type": "object", "properties": members, "required": list(members)}
    if shape is dict:  # of any keys
        return {"type": "object", "properties": {}, "required": []}
    return {"type": _TYPES[shape]}
