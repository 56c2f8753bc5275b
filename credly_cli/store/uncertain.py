"""The grants of which it is not known whether Credly applied them, and what look-ups found so far (R18)."""

from credly_cli.store.database import Store
from credly_cli.store.grants import GRANTS, Grant


def uncertain(store: Store) -> list[Grant]:
    """Return the uncertain grants; those whose look-up failed come last."""
    return store.records(Grant, f"{GRANTS} WHERE g.state = 'uncertain' ORDER BY g.not_before, g.id")


def put_back(store: Store, grant_id: int, now: str) -> None:
    """Let an uncertain grant that could not be looked up come after the others next time."""
    store.change("UPDATE grants SET not_before = ? WHERE id = ?", (now, grant_id))


def sending_to_uncertain(store: Store, run_id: int, now: str) -> int:
    """Call uncertain what a crash left between claim and result; returns how many."""
    problem = "The program was stopped while this badge was being sent."
    sql = "UPDATE grants SET state = 'uncertain', problem = ?, run_id = ?, updated_at = ? WHERE state = 'sending'"
    return store.change(sql, (problem, run_id, now))


def count_uncertain_of(store: Store, run_id: int) -> int:
    """Count the uncertain grants that a run brought about."""
    sql = "SELECT count(*) FROM grants WHERE state = 'uncertain' AND run_id = ?"
    return int(store.value(sql, (run_id,)))


def in_doubt_for_learner(store: Store, badge_id: str, learner: int) -> bool:
    """Tell whether a badge of this kind may have been issued to the learner without our knowing."""
    sql = "SELECT 1 FROM grants WHERE badge_id = ? AND learner = ? AND state IN ('sending', 'uncertain')"
    return store.value(sql, (badge_id, learner)) is not None


def doubt_all_open(store: Store, run_id: int | None, now: str) -> int:
    """Call uncertain all that a later copy of this store may have sent; returns how many (R18)."""
    return store.change(
        f"{_DOUBT} WHERE state IN ('planned', 'sending', 'uncertain')",
        {"problem": _RESTORED, "run": run_id, "now": now},
    )


def doubt_older(store: Store, restored_at: str, run_id: int, now: str) -> int:
    """Call uncertain what is planned for completions from before a restore and not looked up since."""
    return store.change(
        f"{_DOUBT} WHERE state = 'planned' AND ifnull(cleared_at, '') < :restored_at"
        " AND (ifnull(completed_at, issued_at) <= :restored_at OR created_at < :restored_at)",
        {"problem": _RESTORED, "run": run_id, "now": now, "restored_at": restored_at},
    )


_RESTORED = "The store was restored: a later copy of it may have sent this badge."
_DOUBT = (
    "UPDATE grants SET state = 'uncertain', problem = :problem, sent_at = :now, server_date = NULL, absences = 0,"
    " absent_at = NULL, run_id = :run, updated_at = :now"
)


def note_absence(store: Store, grant_id: int, now: str) -> None:
    """Count a conclusive look-up that found nothing."""
    store.change("UPDATE grants SET absences = absences + 1, absent_at = ? WHERE id = ?", (now, grant_id))


def restart_absence(store: Store, grant_id: int, now: str) -> None:
    """Let the pause between two absent look-ups begin anew."""
    store.change("UPDATE grants SET absent_at = ? WHERE id = ?", (now, grant_id))


def set_server_date(store: Store, grant_id: int, server_date: str) -> None:
    """Note Credly's clock at the time of sending, as its ``Date`` header has it."""
    store.change("UPDATE grants SET server_date = ? WHERE id = ?", (server_date, grant_id))


def note_refusal(store: Store, grant_id: int, refusal: str) -> None:
    """Count a refusal of Credly's (422), and what it means."""
    store.change("UPDATE grants SET refusals = refusals + 1, refusal = ? WHERE id = ?", (refusal, grant_id))


def is_owned_by_another(store: Store, issued_badge_id: str, grant_id: int) -> bool:
    """Tell whether another grant issued a badge, or is covered by it."""
    sql = "SELECT 1 FROM grants WHERE (issued_badge_id = :badge OR covered_by = :badge) AND id <> :grant"
    return store.value(sql, {"badge": issued_badge_id, "grant": grant_id}) is not None


def was_known_before(store: Store, issued_badge_id: str, grant_id: int) -> bool:
    """Tell whether the store had an issued badge before a grant was first sent."""
    sql = "SELECT i.stored_at < min(a.started_at) FROM issued_badges i JOIN attempts a ON a.grant_id = ? WHERE i.id = ?"
    return bool(store.value(sql, (grant_id, issued_badge_id)))
