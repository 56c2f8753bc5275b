"""The schema, as numbered steps that are never edited once released; ``PRAGMA user_version`` counts them.

Times are UTC text of fixed width, so that they compare as text. ``email_key`` is an address as it is matched (R25).
"""

from typing import Literal

State = Literal["planned", "sending", "uncertain", "issued", "covered", "held", "failed", "cancelled"]  # of a grant
STATES: tuple[State, ...] = (
    "planned", "sending", "uncertain", "issued", "covered", "held", "failed", "cancelled",
)  # fmt: skip
NEEDS_PERSON: tuple[State, ...] = ("failed", "held")

IS_GONE = "(i.state = 'revoked' OR i.deleted_at IS NOT NULL)"  # of an issued badge i: nobody has it any more
# How many badges that grants issued are revoked or deleted by now.
COUNT_REVOKED = (
    "SELECT count(*) FROM issued_badges i CROSS JOIN grants g ON g.issued_badge_id = i.id"
    f" WHERE {IS_GONE} AND g.state = 'issued'"
)

M001_FIRST = """
-- Whose badges these are (R2). One row from the first `connect` on; disconnecting keeps it.
CREATE TABLE connection (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  organization_id TEXT NOT NULL,
  organization_name TEXT NOT NULL,
  api_url TEXT NOT NULL,
  api_url_given INTEGER NOT NULL,      -- 1: by connect's own option, which then goes before the configuration
  token_kind TEXT NOT NULL CHECK (token_kind IN ('stored', 'file', 'environment', 'command')),
  token_path TEXT,
  token_expires_at TEXT,
  connected_at TEXT NOT NULL,
  disconnected_at TEXT
) STRICT;

-- When nothing was connected: completions in between are not granted (R4).
CREATE TABLE disconnections (
  started_at TEXT PRIMARY KEY,
  ended_at TEXT
) STRICT;

-- One row a run of `sync`. Its number is also in the lock file, which tells a restored store.
CREATE TABLE runs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  started_at TEXT NOT NULL,
  finished_at TEXT,
  status TEXT CHECK (status IN ('success', 'partial', 'error')),
  issued_badges_listed INTEGER NOT NULL DEFAULT 0,  -- 1: it read a complete listing of issued badges
  summary TEXT
) STRICT;

-- Where a reader left off, by name: the LMS's cursor, files taken, ...
CREATE TABLE bookmarks (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Badge templates. One that left the list stays for those who earned it, with listed = 0 (R9).
CREATE TABLE badges (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  state TEXT NOT NULL,
  slug TEXT,
  url TEXT,
  image_url TEXT,
  allow_duplicates INTEGER NOT NULL,
  created_at TEXT,
  updated_at TEXT,
  listed INTEGER NOT NULL,
  removed_at TEXT,
  fingerprint TEXT NOT NULL,           -- of all that Credly says but counters and updated_at (R8)
  raw TEXT NOT NULL                    -- what Credly said, so that a field of the future loses nothing
) STRICT;

CREATE TABLE content (
  id TEXT PRIMARY KEY,
  title TEXT NOT NULL,
  type TEXT,
  url TEXT,
  released INTEGER,                    -- null where only its sessions say
  released_at TEXT
) STRICT;
CREATE INDEX content_title ON content (title);

CREATE TABLE sessions (
  id TEXT PRIMARY KEY,
  content_id TEXT NOT NULL REFERENCES content (id),
  title TEXT,
  released INTEGER NOT NULL,
  released_at TEXT
) STRICT;
CREATE INDEX sessions_content ON sessions (content_id);

-- Who may see content: `told_by` an access file (the whole list of each content it names) or the content itself.
CREATE TABLE access (
  content_id TEXT NOT NULL REFERENCES content (id),
  told_by TEXT NOT NULL CHECK (told_by IN ('access', 'content')),
  subject_kind TEXT NOT NULL CHECK (subject_kind IN ('learner', 'panorama', 'sublicense')),
  subject TEXT NOT NULL,               -- an email_key, or the name casefolded
  PRIMARY KEY (content_id, told_by, subject_kind, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX access_subject ON access (subject_kind, subject);

CREATE TABLE learners (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  email TEXT NOT NULL,
  email_key TEXT NOT NULL,
  learner_id TEXT UNIQUE,
  first_name TEXT,
  last_name TEXT,
  panorama TEXT,
  sublicense TEXT,
  locale TEXT,
  email_at TEXT                        -- when the address was told: an older event brings no older address back
) STRICT;
CREATE INDEX learners_email ON learners (email_key);

-- Addresses that a learner had before, so that badges issued to them are still found (R25).
CREATE TABLE former_emails (
  learner INTEGER NOT NULL REFERENCES learners (id) ON DELETE CASCADE,
  email_key TEXT NOT NULL,
  PRIMARY KEY (learner, email_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX former_emails_key ON former_emails (email_key);

-- One row a learner and session ('' for content without sessions); a completion once completed_at is there.
CREATE TABLE enrollments (
  learner INTEGER NOT NULL REFERENCES learners (id),
  content_id TEXT NOT NULL REFERENCES content (id),
  session_id TEXT NOT NULL DEFAULT '',
  progress REAL,
  enrolled_at TEXT,
  ended INTEGER NOT NULL DEFAULT 0,    -- withdrawn, access revoked
  open INTEGER NOT NULL DEFAULT 0,     -- the last word is: not complete. A completion before it stays, and is reported
  told_at TEXT,                        -- when the LMS last spoke of progress and end, where it says when
  completed_at TEXT,
  completed_latest TEXT,               -- the last second that completed_at can mean: a day's end for a mere date
  event_id TEXT,
  rev INTEGER NOT NULL DEFAULT 0,      -- change counter of completions: planning reads what is newer than its own
  PRIMARY KEY (learner, content_id, session_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX completions_rev ON enrollments (content_id, rev) WHERE completed_at IS NOT NULL;

-- Links, ended ones included: they tell why a completion earned nothing.
CREATE TABLE links (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  badge_id TEXT NOT NULL REFERENCES badges (id),
  content_id TEXT NOT NULL REFERENCES content (id),
  linked_at TEXT NOT NULL,
  counts_from TEXT NOT NULL,
  since_set_at TEXT,                   -- when `link --since` was last said; overrides disconnections before it (R4)
  ended_at TEXT,
  end_reason TEXT CHECK (end_reason IN ('unlinked', 'badge-not-active')),
  planned_rev INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX links_once ON links (badge_id) WHERE ended_at IS NULL;
CREATE INDEX links_content ON links (content_id);

-- Badges issued to people, as Credly last said. deleted_at: a complete listing no longer had it (R23).
CREATE TABLE issued_badges (
  id TEXT PRIMARY KEY,
  badge_id TEXT NOT NULL,              -- no reference: a badge may never have been active here
  badge_name TEXT,
  image_url TEXT,
  email TEXT,
  email_key TEXT NOT NULL,
  earner_id TEXT,
  user_id TEXT,
  state TEXT NOT NULL,
  issued_at TEXT,
  expires_at TEXT,
  created_at TEXT,
  state_updated_at TEXT,
  view_url TEXT,
  accept_url TEXT,
  issued_by_run INTEGER,               -- the run that issued it; null where a listing brought it
  awaited INTEGER NOT NULL DEFAULT 0,  -- a complete listing after its issue did not have it: Credly lags
  stored_at TEXT NOT NULL,
  deleted_at TEXT
) STRICT;
CREATE INDEX issued_badges_email ON issued_badges (email_key, badge_id);
CREATE INDEX issued_badges_earner ON issued_badges (earner_id, badge_id) WHERE earner_id IS NOT NULL;
CREATE INDEX issued_badges_user ON issued_badges (user_id) WHERE user_id IS NOT NULL;

-- The ledger: one row for each badge that a learner is to get, from plan to issued badge.
CREATE TABLE grants (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  badge_id TEXT NOT NULL REFERENCES badges (id),
  learner INTEGER NOT NULL REFERENCES learners (id),
  content_id TEXT NOT NULL REFERENCES content (id),
  session_id TEXT NOT NULL DEFAULT '',
  round INTEGER NOT NULL DEFAULT 1,    -- higher only where a person grants again what was revoked or deleted
  reason TEXT NOT NULL CHECK (reason IN ('completion', 'manual')),
  state TEXT NOT NULL CHECK (
    state IN ('planned', 'sending', 'uncertain', 'issued', 'covered', 'held', 'failed', 'cancelled')),
  dropped INTEGER NOT NULL DEFAULT 0,  -- cancelled by a person: not planned again
  completed_at TEXT,
  issued_at TEXT NOT NULL,             -- fixed when planned, never "now" of a later run
  once INTEGER NOT NULL,               -- the badge forbade duplicates when this was planned
  earner_id TEXT NOT NULL,             -- issuer_earner_id: the learner's id, with the grant's mark unless `once`
  issued_badge_id TEXT UNIQUE,         -- the badge that this grant issued
  covered_by TEXT,                     -- the badge that was held already (R20) ...
  covered_by_grant INTEGER REFERENCES grants (id),  -- ... or the grant that earns it for another session (R19)
  problem_code TEXT,
  problem TEXT,
  body TEXT,                           -- what was sent last, where that may have been applied
  body_sha256 TEXT,
  sent_at TEXT,
  server_date TEXT,                    -- Credly's own clock when it was sent
  refusals INTEGER NOT NULL DEFAULT 0,
  absences INTEGER NOT NULL DEFAULT 0, -- conclusive look-ups after settling that found nothing
  absent_at TEXT,
  tries INTEGER NOT NULL DEFAULT 0,
  not_before TEXT,
  cleared_at TEXT,                     -- when Credly was last found to have no badge for it (restored, new stores)
  run_id INTEGER REFERENCES runs (id),
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  UNIQUE (badge_id, learner, content_id, session_id, round)  -- a completion seen twice plans one grant (R18)
) STRICT;
CREATE INDEX grants_covered ON grants (covered_by) WHERE covered_by IS NOT NULL;
CREATE INDEX grants_state ON grants (state, not_before, id);  -- a partial one serves only who repeats its terms
CREATE INDEX grants_learner ON grants (learner, badge_id);
CREATE INDEX grants_badge ON grants (badge_id, state);

-- What was sent when and what came of it; rows are added, never changed but for their end.
CREATE TABLE attempts (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  grant_id INTEGER NOT NULL REFERENCES grants (id),
  run_id INTEGER REFERENCES runs (id),
  started_at TEXT NOT NULL,
  ended_at TEXT,
  body TEXT,
  outcome TEXT,
  http_status INTEGER,
  detail TEXT
) STRICT;
CREATE INDEX attempts_grant ON attempts (grant_id);
"""

M002_REPLACED = """
-- The badge that took its place: Credly keeps the row of one that was replaced, in the state it had.
ALTER TABLE issued_badges ADD COLUMN replaced_by TEXT;
"""

M003_CATCHING_UP = """
-- Credly's clock when it was asked for the issued badges, where the answer was complete ...
ALTER TABLE runs ADD COLUMN listed_until TEXT;
-- ... and whether page by page, or by what is new and a count that agreed.
ALTER TABLE runs ADD COLUMN listed_whole INTEGER NOT NULL DEFAULT 0;
CREATE INDEX issued_badges_deleted ON issued_badges (id) WHERE deleted_at IS NOT NULL;
"""

M004_REFUSAL = """
-- What Credly's last refusal (422) means: 'held' (the learner may have the badge already) or 'invalid'.
ALTER TABLE grants ADD COLUMN refusal TEXT;
UPDATE grants SET refusal = iif(problem LIKE '%already%', 'held', 'invalid') WHERE refusals > 0;
"""

M005_WAITING = """
-- What needs a person until it is settled, beside grants (R33), by where it was found: a step of a run, or a file.
CREATE TABLE waiting (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  place TEXT NOT NULL,
  code TEXT NOT NULL,
  message TEXT NOT NULL,
  hint TEXT,
  count INTEGER NOT NULL
) STRICT;
CREATE INDEX waiting_place ON waiting (place);
-- 1: the run did its work; that it brought up something for a person does not count against it.
ALTER TABLE runs ADD COLUMN good INTEGER NOT NULL DEFAULT 0;
UPDATE runs SET good = 1 WHERE status = 'success';
"""

M006_DENIED = """
-- Where a completion was told: the source, '' the common one, and the file.
ALTER TABLE enrollments ADD COLUMN source TEXT NOT NULL DEFAULT '';
ALTER TABLE enrollments ADD COLUMN file TEXT;
-- When, and by which file, a completion was denied that was told before: it does not count until it is told again.
ALTER TABLE enrollments ADD COLUMN denied_at TEXT;
ALTER TABLE enrollments ADD COLUMN denied_by TEXT;
CREATE INDEX enrollments_denied ON enrollments (denied_at) WHERE denied_at IS NOT NULL;
-- When a person said that the badge is to be sent, although its completion is denied.
ALTER TABLE grants ADD COLUMN confirmed_at TEXT;
"""

M007_AGREED = """
-- So many badges of the link a person agreed to, when earlier completions were let count (R15, R32).
ALTER TABLE links ADD COLUMN agreed INTEGER NOT NULL DEFAULT 0;
"""

M008_EXPIRY = """
-- Whether Credly tells when the token expires: 'date', 'never' or 'not-told'; and since when this token is in use.
ALTER TABLE connection ADD COLUMN token_expiry TEXT NOT NULL DEFAULT 'not-told'
  CHECK (token_expiry IN ('date', 'never', 'not-told'));
ALTER TABLE connection ADD COLUMN token_since TEXT;
-- The OAuth client's id, where its secret takes the token's place.
ALTER TABLE connection ADD COLUMN client_id TEXT;
-- An end of exactly 180 days from connecting was assumed, not told.
UPDATE connection SET token_since = connected_at, token_expiry = CASE
  WHEN token_expires_at IS NULL OR abs(julianday(token_expires_at) - julianday(connected_at) - 180) < 0.00002
  THEN 'not-told' ELSE 'date' END;
UPDATE connection SET token_expires_at = NULL WHERE token_expiry = 'not-told';
"""

M009_SOURCES = """
-- What learners are called in named sources (`--source`), each with a numbering of its own; the common one is in
-- learners.learner_id (R25).
CREATE TABLE learner_ids (
  source TEXT NOT NULL,
  learner_id TEXT NOT NULL,
  learner INTEGER NOT NULL REFERENCES learners (id) ON DELETE CASCADE,
  PRIMARY KEY (source, learner_id),
  UNIQUE (learner, source)
) STRICT, WITHOUT ROWID;
"""

M010_BRAKE = """
-- How many badges of the link the last plan kept back (R32).
ALTER TABLE links ADD COLUMN braked INTEGER NOT NULL DEFAULT 0;
-- By these a cover is found that was lost (R20).
CREATE INDEX issued_badges_revoked ON issued_badges (id) WHERE state = 'revoked';
CREATE INDEX grants_covering ON grants (covered_by_grant) WHERE covered_by_grant IS NOT NULL;
"""

M011_PAGES = """
-- Learners whose page may have changed, in the order in which that was; 0 is everybody.
CREATE TABLE page_changes (
  learner INTEGER PRIMARY KEY,
  number INTEGER NOT NULL,
  at TEXT NOT NULL
) STRICT;
CREATE INDEX page_changes_number ON page_changes (number);
-- What time it is: when the command began that writes now.
CREATE TABLE page_clock (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  at TEXT NOT NULL
) STRICT;
INSERT INTO page_clock VALUES (1, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'));
INSERT INTO page_changes VALUES (0, 1, (SELECT at FROM page_clock));
"""

M012_FORBIDDEN = """
-- Whether Credly did not let the badge be issued when it was last tried (403): what is planned for it waits (R33).
ALTER TABLE links ADD COLUMN forbidden INTEGER NOT NULL DEFAULT 0;
"""

M013_STATEMENTS = """
-- What statements of xAPI said of completions: judged together whenever one comes, or one is voided.
CREATE TABLE statements (
  id TEXT PRIMARY KEY,
  learner INTEGER NOT NULL REFERENCES learners (id) ON DELETE CASCADE,
  content_id TEXT NOT NULL,
  session_id TEXT NOT NULL,
  loose INTEGER NOT NULL,              -- 1: the session was not named
  word TEXT NOT NULL CHECK (word IN ('completed', 'passed', 'failed')),
  registration TEXT NOT NULL,          -- of which attempt, '' where none is told
  moment TEXT NOT NULL,                -- when, to the microsecond ...
  at TEXT NOT NULL,                    -- ... and as completions have it
  latest TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX statements_learner ON statements (learner, content_id);
-- Ids of statements that count as never said, also where they come after the one that says so.
CREATE TABLE voided_statements (id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
-- Progress that a record store told of content or people who are not known here: tried again at each sync.
CREATE TABLE kept_progress (
  source TEXT NOT NULL,
  id TEXT NOT NULL,
  content TEXT NOT NULL,               -- as the source calls it
  session_id TEXT NOT NULL,
  numbering TEXT NOT NULL,             -- that the id is of, as the source calls it
  learner_id TEXT NOT NULL,
  email TEXT NOT NULL,
  record TEXT NOT NULL,                -- all of it, as JSON
  kept_at TEXT NOT NULL,
  sha1 TEXT NOT NULL,
  PRIMARY KEY (source, id)
) STRICT, WITHOUT ROWID;
"""

MIGRATIONS: tuple[str, ...] = (
    M001_FIRST, M002_REPLACED, M003_CATCHING_UP, M004_REFUSAL, M005_WAITING, M006_DENIED, M007_AGREED, M008_EXPIRY,
    M009_SOURCES, M010_BRAKE, M011_PAGES, M012_FORBIDDEN, M013_STATEMENTS,
)  # fmt: skip
