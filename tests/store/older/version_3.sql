-- A store as version 3 of the schema wrote it: bob@ and cy@example.org came in under the id N/A, on two nights, and
-- are one learner; uma@ and val@example.org completed by a column called End Date.
BEGIN TRANSACTION;
CREATE TABLE access (
  content_id TEXT NOT NULL REFERENCES content (id),
  told_by TEXT NOT NULL CHECK (told_by IN ('access', 'content')),
  subject_kind TEXT NOT NULL CHECK (subject_kind IN ('learner', 'panorama', 'sublicense')),
  subject TEXT NOT NULL,               -- an email_key, or the name casefolded
  PRIMARY KEY (content_id, told_by, subject_kind, subject)
) STRICT, WITHOUT ROWID;
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
INSERT INTO "attempts" VALUES(1,1,2,'2026-03-02T09:30:00Z','2026-03-02T09:30:00Z','{"recipient_email": "ada@example.org", "badge_template_id": "78ad8549-325e-44c6-9508-1262bc684bdd", "issued_at": "2026-03-01 00:00:00 +0000", "issued_to_first_name": "Ada", "issued_to_last_name": "Lovelace", "issuer_earner_id": "1001"}','issued',201,NULL);
INSERT INTO "attempts" VALUES(2,2,2,'2026-03-02T09:30:00Z','2026-03-02T09:30:00Z','{"recipient_email": "bob@example.org", "badge_template_id": "78ad8549-325e-44c6-9508-1262bc684bdd", "issued_at": "2026-03-02 00:00:00 +0000", "issued_to_first_name": "Bob", "issued_to_last_name": "Stone", "issuer_earner_id": "mo4pvgyufkymbw47"}','issued',201,NULL);
INSERT INTO "attempts" VALUES(3,3,3,'2026-03-02T09:30:00Z','2026-03-02T09:30:00Z','{"recipient_email": "uma@example.org", "badge_template_id": "b8134e77-a4c9-427d-af6c-72f9b192e0d9", "issued_at": "2026-01-20 00:00:00 +0000", "issued_to_first_name": "Uma", "issued_to_last_name": "Reed", "issuer_earner_id": "hsk5sjaij65z3rnf"}','issued',201,NULL);
INSERT INTO "attempts" VALUES(4,4,4,'2026-03-03T09:30:00Z','2026-03-03T09:30:00Z','{"recipient_email": "cy@example.org", "badge_template_id": "44d09f3d-38c2-4ebb-95ba-b91cd20b52cf", "issued_at": "2026-03-03 00:00:00 +0000", "issued_to_first_name": "Bob", "issued_to_last_name": "Stone", "issuer_earner_id": "mo4pvgyufkymbw47"}','issued',201,NULL);
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
INSERT INTO "badges" VALUES('44d09f3d-38c2-4ebb-95ba-b91cd20b52cf','Data Literacy – Level 1','active','data-literacy-level-1','https://www.credly.com/org/larkfield-skills-institute/badge/data-literacy-level-1','https://images.credly.com/images/54dc7651-89f8-46dc-9f93-26be5a7eff0d/data-literacy-level-1.png',0,'2024-02-04T01:07:11Z','2025-11-02T16:17:18Z',1,NULL,'2451c44685a82151232910f32c27c859998fb7c4cc83c5005e7fc5cc5d55ceaf','{"id":"44d09f3d-38c2-4ebb-95ba-b91cd20b52cf","allow_duplicate_badges":false,"cost":null,"description":"Reads tables and charts, asks what a number means, and knows when an average misleads.","global_activity_url":"https://www.larkfield.example/badges/data-literacy-level-1","level":"Foundational","lock_badge_state":false,"name":"Data Literacy – Level 1","state":"active","public":true,"badges_count":0,"recipient_type":"User","send_expiring_badge_notifications":false,"show_badge_lmi":false,"show_lmi_jobs":false,"show_skill_tag_links":true,"vanity_slug":"data-literacy-level-1","record_to_blockchain":null,"time_to_earn":"Weeks","type_category":"Learning","printing_disabled":false,"visibility":"public","criteria_url_name":null,"criteria_url":null,"certification":true,"state_updated_at":null,"created_at":"2024-02-04T01:07:11.137Z","updated_at":"2025-11-02T16:17:18.061Z","show_template_settings":false,"get_issue_count":0,"image":{"id":"54dc7651-89f8-46dc-9f93-26be5a7eff0d","url":"https://images.credly.com/images/54dc7651-89f8-46dc-9f93-26be5a7eff0d/data-literacy-level-1.png"},"image_url":"https://images.credly.com/images/54dc7651-89f8-46dc-9f93-26be5a7eff0d/data-literacy-level-1.png","url":"https://www.credly.com/org/larkfield-skills-institute/badge/data-literacy-level-1","owner":{"type":"Organization","id":"f5057fee-4c3e-4459-82dd-21250b729601","name":"Larkfield Skills Institute","enable_blockchain":false,"url":"https://api.credly.com/api/v1/organizations/f5057fee-4c3e-4459-82dd-21250b729601","vanity_url":"https://www.credly.com/org/larkfield-skills-institute","vanity_slug":"larkfield-skills-institute","verified":true,"viewable":true},"alignments":[],"recommendations":[{"id":"dd75ef1b-a557-4e75-83c8-396ebe77367b","title":"Find the next course","type":"participation","activity_url":"https://www.larkfield.example/courses"}],"required_badge_templates":[],"badge_template_activities":[{"id":"31146644-0f9e-4cd3-a7aa-e4a6ac9448a7","title":"Data literacy, six lessons","activity_type":"Course","activity_url":"","required_badge_template_id":null}],"skills":["Data Literacy","Spreadsheets","Critical Thinking"],"reporting_tags":["Larkfield"],"default_expires_at":null,"default_expires_at_date":null,"default_expires_at_type":null}');
INSERT INTO "badges" VALUES('b8134e77-a4c9-427d-af6c-72f9b192e0d9','Data Literacy – Level 2','active','data-literacy-level-2','https://www.credly.com/org/larkfield-skills-institute/badge/data-literacy-level-2','https://images.credly.com/images/5372f53f-f952-4fef-8839-5aad5fac0dba/data-literacy-level-2.png',0,'2024-03-07T02:14:22Z','2025-11-03T16:17:18Z',1,NULL,'6072f1f72220e4c38ed6225f4c35f1bbda76113ef8e401385d63764c94d80d8e','{"id":"b8134e77-a4c9-427d-af6c-72f9b192e0d9","allow_duplicate_badges":false,"cost":null,"description":"Cleans a data set, joins two, and presents a finding that others can check.","global_activity_url":"https://www.larkfield.example/badges/data-literacy-level-2","level":"Intermediate","lock_badge_state":false,"name":"Data Literacy – Level 2","state":"active","public":true,"badges_count":0,"recipient_type":"User","send_expiring_badge_notifications":false,"show_badge_lmi":false,"show_lmi_jobs":false,"show_skill_tag_links":true,"vanity_slug":"data-literacy-level-2","record_to_blockchain":null,"time_to_earn":"Weeks","type_category":"Learning","printing_disabled":false,"visibility":"public","criteria_url_name":null,"criteria_url":null,"certification":true,"state_updated_at":null,"created_at":"2024-03-07T02:14:22.274Z","updated_at":"2025-11-03T16:17:18.122Z","show_template_settings":false,"get_issue_count":0,"image":{"id":"5372f53f-f952-4fef-8839-5aad5fac0dba","url":"https://images.credly.com/images/5372f53f-f952-4fef-8839-5aad5fac0dba/data-literacy-level-2.png"},"image_url":"https://images.credly.com/images/5372f53f-f952-4fef-8839-5aad5fac0dba/data-literacy-level-2.png","url":"https://www.credly.com/org/larkfield-skills-institute/badge/data-literacy-level-2","owner":{"type":"Organization","id":"f5057fee-4c3e-4459-82dd-21250b729601","name":"Larkfield Skills Institute","enable_blockchain":false,"url":"https://api.credly.com/api/v1/organizations/f5057fee-4c3e-4459-82dd-21250b729601","vanity_url":"https://www.credly.com/org/larkfield-skills-institute","vanity_slug":"larkfield-skills-institute","verified":true,"viewable":true},"alignments":[],"recommendations":[{"id":"abda62a8-5732-41ef-8c00-31d8dc083c34","title":"Find the next course","type":"participation","activity_url":"https://www.larkfield.example/courses"}],"required_badge_templates":[],"badge_template_activities":[{"id":"93d544be-eeee-4355-af02-14835508e050","title":"Data Literacy – Level 1","activity_type":"Badge","activity_url":"","required_badge_template_id":"44d09f3d-38c2-4ebb-95ba-b91cd20b52cf","required_badge_template_name":"Data Literacy – Level 1","required_badge_template_url":"https://www.credly.com/org/larkfield-skills-institute/badge/data-literacy-level-1"},{"id":"c24d025b-749f-4882-8e29-d80fb9f16842","title":"Data literacy, second part","activity_type":"Course","activity_url":"","required_badge_template_id":null}],"skills":["Data Literacy","Data Cleaning","Presentation"],"reporting_tags":["Larkfield"],"default_expires_at":null,"default_expires_at_date":null,"default_expires_at_type":null}');
INSERT INTO "badges" VALUES('78ad8549-325e-44c6-9508-1262bc684bdd','Accessible Documents','active','accessible-documents','https://www.credly.com/org/larkfield-skills-institute/badge/accessible-documents','https://images.credly.com/images/808dcdcd-7ce4-4aba-915b-b3b91a611bbf/accessible-documents.png',0,'2024-08-22T07:49:17Z','2025-11-08T16:17:18Z',1,NULL,'16f7caa1239979252be1185958c4e0c2f4bb00faa5e274f964a755560b8b044c','{"id":"78ad8549-325e-44c6-9508-1262bc684bdd","allow_duplicate_badges":false,"cost":null,"description":"Writes documents that a screen reader can read, and checks those of others.","global_activity_url":"https://www.larkfield.example/badges/accessible-documents","level":"Foundational","lock_badge_state":false,"name":"Accessible Documents","state":"active","public":true,"badges_count":0,"recipient_type":"User","send_expiring_badge_notifications":false,"show_badge_lmi":false,"show_lmi_jobs":false,"show_skill_tag_links":true,"vanity_slug":"accessible-documents","record_to_blockchain":null,"time_to_earn":"Hours","type_category":"Learning","printing_disabled":false,"visibility":"public","criteria_url_name":null,"criteria_url":null,"certification":true,"state_updated_at":null,"created_at":"2024-08-22T07:49:17.959Z","updated_at":"2025-11-08T16:17:18.427Z","show_template_settings":false,"get_issue_count":0,"image":{"id":"808dcdcd-7ce4-4aba-915b-b3b91a611bbf","url":"https://images.credly.com/images/808dcdcd-7ce4-4aba-915b-b3b91a611bbf/accessible-documents.png"},"image_url":"https://images.credly.com/images/808dcdcd-7ce4-4aba-915b-b3b91a611bbf/accessible-documents.png","url":"https://www.credly.com/org/larkfield-skills-institute/badge/accessible-documents","owner":{"type":"Organization","id":"f5057fee-4c3e-4459-82dd-21250b729601","name":"Larkfield Skills Institute","enable_blockchain":false,"url":"https://api.credly.com/api/v1/organizations/f5057fee-4c3e-4459-82dd-21250b729601","vanity_url":"https://www.credly.com/org/larkfield-skills-institute","vanity_slug":"larkfield-skills-institute","verified":true,"viewable":true},"alignments":[],"recommendations":[{"id":"e25d488e-1b88-4cda-ab37-c4834efc09f5","title":"Find the next course","type":"participation","activity_url":"https://www.larkfield.example/courses"}],"required_badge_templates":[],"badge_template_activities":[{"id":"329ca4bb-0dea-4b15-aced-c7d84e30ba5f","title":"Accessible documents, three lessons","activity_type":"Course","activity_url":"","required_badge_template_id":null}],"skills":["Accessibility","Technical Writing"],"reporting_tags":["Larkfield"],"default_expires_at":null,"default_expires_at_date":null,"default_expires_at_type":null}');
CREATE TABLE bookmarks (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "bookmarks" VALUES('completions-rev','4');
INSERT INTO "bookmarks" VALUES('history-read-at','2026-03-02T09:30:00Z');
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
INSERT INTO "connection" VALUES(1,'f5057fee-4c3e-4459-82dd-21250b729601','Larkfield Skills Institute','https://credly.test/v1',1,'stored',NULL,'2026-08-29T09:30:00Z','2026-03-02T09:30:00Z',NULL);
CREATE TABLE content (
  id TEXT PRIMARY KEY,
  title TEXT NOT NULL,
  type TEXT,
  url TEXT,
  released INTEGER,                    -- null where only its sessions say
  released_at TEXT
) STRICT;
INSERT INTO "content" VALUES('C1','Intro','course',NULL,1,NULL);
INSERT INTO "content" VALUES('C2','Deep Dive','course',NULL,1,NULL);
INSERT INTO "content" VALUES('C3','Finance','course',NULL,1,NULL);
CREATE TABLE disconnections (
  started_at TEXT PRIMARY KEY,
  ended_at TEXT
) STRICT;
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
INSERT INTO "enrollments" VALUES(1,'C1','',NULL,NULL,0,0,NULL,'2026-03-01T00:00:00Z','2026-03-01T23:59:59Z',NULL,1);
INSERT INTO "enrollments" VALUES(2,'C1','',NULL,NULL,0,0,NULL,'2026-03-02T00:00:00Z','2026-03-02T23:59:59Z',NULL,1);
INSERT INTO "enrollments" VALUES(2,'C2','',NULL,NULL,0,0,NULL,'2026-03-03T00:00:00Z','2026-03-03T23:59:59Z',NULL,3);
INSERT INTO "enrollments" VALUES(3,'C3','',NULL,'2026-01-05T00:00:00Z',0,0,NULL,'2026-01-20T00:00:00Z','2026-01-20T23:59:59Z',NULL,2);
INSERT INTO "enrollments" VALUES(4,'C3','',NULL,'2026-01-05T00:00:00Z',0,0,NULL,'2026-01-20T00:00:00Z','2026-01-20T23:59:59Z',NULL,4);
CREATE TABLE former_emails (
  learner INTEGER NOT NULL REFERENCES learners (id) ON DELETE CASCADE,
  email_key TEXT NOT NULL,
  PRIMARY KEY (learner, email_key)
) STRICT, WITHOUT ROWID;
INSERT INTO "former_emails" VALUES(2,'bob@example.org');
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
  body TEXT,                           -- what was sent; a resend is the same to the byte
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
INSERT INTO "grants" VALUES(1,'78ad8549-325e-44c6-9508-1262bc684bdd',1,'C1','',1,'completion','issued',0,'2026-03-01T00:00:00Z','2026-03-01T00:00:00Z',1,'1001','392c94b6-e493-412b-a510-cda63882c599',NULL,NULL,NULL,NULL,'{"recipient_email": "ada@example.org", "badge_template_id": "78ad8549-325e-44c6-9508-1262bc684bdd", "issued_at": "2026-03-01 00:00:00 +0000", "issued_to_first_name": "Ada", "issued_to_last_name": "Lovelace", "issuer_earner_id": "1001"}','ca772d3b79618fda3bbffa1fe0ddaf4085a1480fb5b9e48760a57505ed6db808','2026-03-02T09:30:00Z','Mon, 02 Mar 2026 09:30:00 GMT',0,0,NULL,1,NULL,NULL,2,'2026-03-02T09:30:00Z','2026-03-02T09:30:00Z');
INSERT INTO "grants" VALUES(2,'78ad8549-325e-44c6-9508-1262bc684bdd',2,'C1','',1,'completion','issued',0,'2026-03-02T00:00:00Z','2026-03-02T00:00:00Z',1,'mo4pvgyufkymbw47','788ba87f-ff33-4c73-b350-8eaad7230add',NULL,NULL,NULL,NULL,'{"recipient_email": "bob@example.org", "badge_template_id": "78ad8549-325e-44c6-9508-1262bc684bdd", "issued_at": "2026-03-02 00:00:00 +0000", "issued_to_first_name": "Bob", "issued_to_last_name": "Stone", "issuer_earner_id": "mo4pvgyufkymbw47"}','432a5461119220a0a19401202e2078251e07de46cdbf8bd02c0341f3e2237cb1','2026-03-02T09:30:00Z','Mon, 02 Mar 2026 09:30:00 GMT',0,0,NULL,1,NULL,NULL,2,'2026-03-02T09:30:00Z','2026-03-02T09:30:00Z');
INSERT INTO "grants" VALUES(3,'b8134e77-a4c9-427d-af6c-72f9b192e0d9',3,'C3','',1,'completion','issued',0,'2026-01-20T00:00:00Z','2026-01-20T00:00:00Z',1,'hsk5sjaij65z3rnf','ea9982b4-d0a0-40a3-b36d-a20769c59598',NULL,NULL,NULL,NULL,'{"recipient_email": "uma@example.org", "badge_template_id": "b8134e77-a4c9-427d-af6c-72f9b192e0d9", "issued_at": "2026-01-20 00:00:00 +0000", "issued_to_first_name": "Uma", "issued_to_last_name": "Reed", "issuer_earner_id": "hsk5sjaij65z3rnf"}','c60fc8b603b865807b45ba1c2a1a64adffcc6d45f5214d59bb192fcb05db1e89','2026-03-02T09:30:00Z','Mon, 02 Mar 2026 09:30:00 GMT',0,0,NULL,1,NULL,NULL,3,'2026-03-02T09:30:00Z','2026-03-02T09:30:00Z');
INSERT INTO "grants" VALUES(4,'44d09f3d-38c2-4ebb-95ba-b91cd20b52cf',2,'C2','',1,'completion','issued',0,'2026-03-03T00:00:00Z','2026-03-03T00:00:00Z',1,'mo4pvgyufkymbw47','9d7919d5-ac25-4f80-a2bf-512e8ffd646c',NULL,NULL,NULL,NULL,'{"recipient_email": "cy@example.org", "badge_template_id": "44d09f3d-38c2-4ebb-95ba-b91cd20b52cf", "issued_at": "2026-03-03 00:00:00 +0000", "issued_to_first_name": "Bob", "issued_to_last_name": "Stone", "issuer_earner_id": "mo4pvgyufkymbw47"}','1ff1120fca5d47b1f152da2058dbd10894bd894d9462319c385ccf4122813778','2026-03-03T09:30:00Z','Tue, 03 Mar 2026 09:30:00 GMT',0,0,NULL,1,NULL,NULL,4,'2026-03-03T09:30:00Z','2026-03-03T09:30:00Z');
INSERT INTO "grants" VALUES(5,'b8134e77-a4c9-427d-af6c-72f9b192e0d9',4,'C3','',1,'completion','held',0,'2026-01-20T00:00:00Z','2026-01-20T00:00:00Z',1,'bxytrfiotovyguyg',NULL,NULL,NULL,'missing-name','The first name and the last name of val@example.org are not known.',NULL,NULL,NULL,NULL,0,0,NULL,0,NULL,NULL,4,'2026-03-03T09:30:00Z','2026-03-03T09:30:00Z');
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
, replaced_by TEXT) STRICT;
INSERT INTO "issued_badges" VALUES('392c94b6-e493-412b-a510-cda63882c599','78ad8549-325e-44c6-9508-1262bc684bdd','Accessible Documents','https://images.credly.com/images/808dcdcd-7ce4-4aba-915b-b3b91a611bbf/accessible-documents.png','ada@example.org','ada@example.org','1001',NULL,'pending','2026-03-01T00:00:00Z',NULL,'2026-03-02T09:30:00Z',NULL,NULL,'https://www.credly.com/badges/392c94b6-e493-412b-a510-cda63882c599/accept',2,0,'2026-03-02T09:30:00Z',NULL,NULL);
INSERT INTO "issued_badges" VALUES('788ba87f-ff33-4c73-b350-8eaad7230add','78ad8549-325e-44c6-9508-1262bc684bdd','Accessible Documents','https://images.credly.com/images/808dcdcd-7ce4-4aba-915b-b3b91a611bbf/accessible-documents.png','bob@example.org','bob@example.org','mo4pvgyufkymbw47',NULL,'pending','2026-03-02T00:00:00Z',NULL,'2026-03-02T09:30:00Z',NULL,NULL,'https://www.credly.com/badges/788ba87f-ff33-4c73-b350-8eaad7230add/accept',2,0,'2026-03-02T09:30:00Z',NULL,NULL);
INSERT INTO "issued_badges" VALUES('ea9982b4-d0a0-40a3-b36d-a20769c59598','b8134e77-a4c9-427d-af6c-72f9b192e0d9','Data Literacy – Level 2','https://images.credly.com/images/5372f53f-f952-4fef-8839-5aad5fac0dba/data-literacy-level-2.png','uma@example.org','uma@example.org','hsk5sjaij65z3rnf',NULL,'pending','2026-01-20T00:00:00Z',NULL,'2026-03-02T09:30:00Z',NULL,NULL,'https://www.credly.com/badges/ea9982b4-d0a0-40a3-b36d-a20769c59598/accept',3,0,'2026-03-02T09:30:00Z',NULL,NULL);
INSERT INTO "issued_badges" VALUES('9d7919d5-ac25-4f80-a2bf-512e8ffd646c','44d09f3d-38c2-4ebb-95ba-b91cd20b52cf','Data Literacy – Level 1','https://images.credly.com/images/54dc7651-89f8-46dc-9f93-26be5a7eff0d/data-literacy-level-1.png','cy@example.org','cy@example.org','mo4pvgyufkymbw47',NULL,'pending','2026-03-03T00:00:00Z',NULL,'2026-03-03T09:30:00Z',NULL,NULL,'https://www.credly.com/badges/9d7919d5-ac25-4f80-a2bf-512e8ffd646c/accept',4,0,'2026-03-03T09:30:00Z',NULL,NULL);
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
INSERT INTO "learners" VALUES(1,'ada@example.org','ada@example.org','1001','Ada','Lovelace',NULL,NULL,NULL,'2026-03-02T09:30:00Z');
INSERT INTO "learners" VALUES(2,'cy@example.org','cy@example.org','N/A','Bob','Stone',NULL,NULL,NULL,'2026-03-03T09:30:00Z');
INSERT INTO "learners" VALUES(3,'uma@example.org','uma@example.org',NULL,'Uma','Reed',NULL,NULL,NULL,'2026-03-02T09:30:00Z');
INSERT INTO "learners" VALUES(4,'val@example.org','val@example.org',NULL,NULL,NULL,NULL,NULL,NULL,'2026-03-03T09:30:00Z');
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
INSERT INTO "links" VALUES(1,'78ad8549-325e-44c6-9508-1262bc684bdd','C1','2026-03-02T09:30:00Z','2026-01-01T00:00:00Z','2026-03-02T09:30:00Z',NULL,NULL,4);
INSERT INTO "links" VALUES(2,'44d09f3d-38c2-4ebb-95ba-b91cd20b52cf','C2','2026-03-02T09:30:00Z','2026-01-01T00:00:00Z','2026-03-02T09:30:00Z',NULL,NULL,4);
INSERT INTO "links" VALUES(3,'b8134e77-a4c9-427d-af6c-72f9b192e0d9','C3','2026-03-02T09:30:00Z','2026-01-01T00:00:00Z','2026-03-02T09:30:00Z',NULL,NULL,4);
CREATE TABLE runs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  started_at TEXT NOT NULL,
  finished_at TEXT,
  status TEXT CHECK (status IN ('success', 'partial', 'error')),
  issued_badges_listed INTEGER NOT NULL DEFAULT 0,  -- 1: it read a complete listing of issued badges
  summary TEXT
, listed_until TEXT, listed_whole INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO "runs" VALUES(1,'2026-03-02T09:30:00Z','2026-03-02T09:30:00Z','success',1,'{"status": "success", "dry_run": false, "badges": {"added": 8, "changed": 0, "unchanged": 0, "removed": 0}, "unlinked": [], "lms": {"learners": {"read": 0, "added": 0, "changed": 0, "unchanged": 0, "rejected": 0}, "content": {"read": 0, "added": 0, "changed": 0, "unchanged": 0, "rejected": 0}, "progress": {"read": 0, "added": 0, "changed": 0, "unchanged": 0, "rejected": 0}, "access": {"read": 0, "added": 0, "changed": 0, "unchanged": 0, "rejected": 0}}, "issued_badges": {"added": 0, "changed": 0, "unchanged": 0, "removed": 0}, "grants": {"planned": 0, "issued": 0, "adopted": 0, "covered": 0, "uncertain": 0, "held": 0, "failed": 0, "cancelled": 0}, "problems": [], "warnings": [], "started_at": "2026-03-02T09:30:00Z", "finished_at": "2026-03-02T09:30:00Z"}','2026-03-02T09:30:00Z',1);
INSERT INTO "runs" VALUES(2,'2026-03-02T09:30:00Z','2026-03-02T09:30:00Z','success',1,'{"status": "success", "dry_run": false, "badges": {"added": 0, "changed": 0, "unchanged": 8, "removed": 0}, "unlinked": [], "lms": {"learners": {"read": 0, "added": 0, "changed": 0, "unchanged": 0, "rejected": 0}, "content": {"read": 0, "added": 0, "changed": 0, "unchanged": 0, "rejected": 0}, "progress": {"read": 0, "added": 0, "changed": 0, "unchanged": 0, "rejected": 0}, "access": {"read": 0, "added": 0, "changed": 0, "unchanged": 0, "rejected": 0}}, "issued_badges": {"added": 0, "changed": 0, "unchanged": 0, "removed": 0}, "grants": {"planned": 2, "issued": 2, "adopted": 0, "covered": 0, "uncertain": 0, "held": 0, "failed": 0, "cancelled": 0}, "problems": [], "warnings": [], "started_at": "2026-03-02T09:30:00Z", "finished_at": "2026-03-02T09:30:00Z"}','2026-03-02T09:30:00Z',1);
INSERT INTO "runs" VALUES(3,'2026-03-02T09:30:00Z','2026-03-02T09:30:00Z','success',1,'{"status": "success", "dry_run": false, "badges": {"added": 0, "changed": 0, "unchanged": 8, "removed": 0}, "unlinked": [], "lms": {"learners": {"read": 0, "added": 0, "changed": 0, "unchanged": 0, "rejected": 0}, "content": {"read": 0, "added": 0, "changed": 0, "unchanged": 0, "rejected": 0}, "progress": {"read": 0, "added": 0, "changed": 0, "unchanged": 0, "rejected": 0}, "access": {"read": 0, "added": 0, "changed": 0, "unchanged": 0, "rejected": 0}}, "issued_badges": {"added": 0, "changed": 0, "unchanged": 2, "removed": 0}, "grants": {"planned": 1, "issued": 1, "adopted": 0, "covered": 0, "uncertain": 0, "held": 0, "failed": 0, "cancelled": 0}, "problems": [], "warnings": [], "started_at": "2026-03-02T09:30:00Z", "finished_at": "2026-03-02T09:30:00Z"}','2026-03-02T09:30:00Z',1);
INSERT INTO "runs" VALUES(4,'2026-03-03T09:30:00Z','2026-03-03T09:30:00Z','partial',1,'{"status": "partial", "dry_run": false, "badges": {"added": 0, "changed": 0, "unchanged": 8, "removed": 0}, "unlinked": [], "lms": {"learners": {"read": 0, "added": 0, "changed": 0, "unchanged": 0, "rejected": 0}, "content": {"read": 0, "added": 0, "changed": 0, "unchanged": 0, "rejected": 0}, "progress": {"read": 0, "added": 0, "changed": 0, "unchanged": 0, "rejected": 0}, "access": {"read": 0, "added": 0, "changed": 0, "unchanged": 0, "rejected": 0}}, "issued_badges": {"added": 0, "changed": 0, "unchanged": 3, "removed": 0}, "grants": {"planned": 1, "issued": 1, "adopted": 0, "covered": 0, "uncertain": 0, "held": 1, "failed": 0, "cancelled": 0}, "problems": [{"code": "missing-name", "message": "The first name and the last name of val@example.org are not known.", "email": "val@example.org", "badge_id": "b8134e77-a4c9-427d-af6c-72f9b192e0d9", "grant_id": 5, "hint": null}], "warnings": [], "started_at": "2026-03-03T09:30:00Z", "finished_at": "2026-03-03T09:30:00Z"}','2026-03-03T09:30:00Z',1);
CREATE TABLE sessions (
  id TEXT PRIMARY KEY,
  content_id TEXT NOT NULL REFERENCES content (id),
  title TEXT,
  released INTEGER NOT NULL,
  released_at TEXT
) STRICT;
CREATE INDEX content_title ON content (title);
CREATE INDEX sessions_content ON sessions (content_id);
CREATE INDEX access_subject ON access (subject_kind, subject);
CREATE INDEX learners_email ON learners (email_key);
CREATE INDEX former_emails_key ON former_emails (email_key);
CREATE INDEX completions_rev ON enrollments (content_id, rev) WHERE completed_at IS NOT NULL;
CREATE UNIQUE INDEX links_once ON links (badge_id) WHERE ended_at IS NULL;
CREATE INDEX links_content ON links (content_id);
CREATE INDEX issued_badges_email ON issued_badges (email_key, badge_id);
CREATE INDEX issued_badges_earner ON issued_badges (earner_id, badge_id) WHERE earner_id IS NOT NULL;
CREATE INDEX issued_badges_user ON issued_badges (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX grants_covered ON grants (covered_by) WHERE covered_by IS NOT NULL;
CREATE INDEX grants_state ON grants (state, not_before, id);
CREATE INDEX grants_learner ON grants (learner, badge_id);
CREATE INDEX grants_badge ON grants (badge_id, state);
CREATE INDEX attempts_grant ON attempts (grant_id);
CREATE INDEX issued_badges_deleted ON issued_badges (id) WHERE deleted_at IS NOT NULL;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('runs',4);
INSERT INTO "sqlite_sequence" VALUES('links',3);
INSERT INTO "sqlite_sequence" VALUES('learners',4);
INSERT INTO "sqlite_sequence" VALUES('grants',5);
INSERT INTO "sqlite_sequence" VALUES('attempts',4);
COMMIT;PRAGMA application_id = 1668441444;
PRAGMA user_version = 3;
