"""How fast badges are sent: measured from what Credly took, never faster for long than it allows."""

from credly_cli.http.retry import RateLimit


def slowed(rate: int = 50) -> RateLimit:
    """A limit that has learned from ``rate`` answers in one second, and a refusal after it."""
    limit = RateLimit()
    for number in range(rate):
        limit.sent(number / rate)
        limit.answered("a second")
    limit.slow_down(1.0, None)
    return limit


def send(limit: RateLimit, count: int, now: float) -> float:
    """Send so many, each as soon as it may leave; returns when the last one left."""
    for _ in range(count):
        now += limit.delay(now)
        limit.sent(now)
    return now


def test_until_credly_asks_to_slow_down_nothing_waits() -> None:
    limit = RateLimit()
    assert send(limit, 1000, 5.0) == 5.0
    assert limit.rate is None


def test_after_that_each_request_waits_for_its_turn() -> None:
    limit = slowed()
    assert limit.rate == 50 * 0.93
    first = send(limit, 1, 1.0)
    assert first == 2.0  # a second's pause for all
    assert send(limit, 20, first) - first >= 19 / limit.rate


def test_a_turn_that_was_missed_is_made_up_for_but_not_many() -> None:
    limit = slowed()
    assert limit.rate is not None
    late = send(limit, 1, 1.0) + 10.0
    assert send(limit, 3, late) >= late + 1 / limit.rate


def test_a_second_refusal_lowers_the_rate_and_those_under_way_do_not() -> None:
    limit = slowed()
    before = limit.rate
    limit.slow_down(1.5, None)
    assert limit.rate == before
    limit.slow_down(3.0, None)
    assert limit.rate == 50 * 0.93 * 0.85


def test_the_longest_wait_that_was_asked_for_is_kept() -> None:
    limit = slowed()
    limit.slow_down(1.5, 30.0)
    limit.slow_down(1.6, 2.0)
    assert limit.delay(1.6) == 31.5 - 1.6


def test_the_rate_recovers_slowly_and_never_by_leaps() -> None:
    limit = slowed()
    assert limit.rate is not None
    before = limit.rate
    for _ in range(100):
        limit.answered()
    assert before < limit.rate < before + 1
    for _ in range(1000):
        limit.answered()
    assert before + 5 < limit.rate < before + 30


def test_a_burst_too_short_to_tell_a_rate_is_found_out_quickly() -> None:
    limit = RateLimit()
    limit.sent(0.0)
    limit.answered("a second")
    limit.slow_down(0.1, None)
    assert limit.rate == 0.93
    for _ in range(10):
        limit.answered()
    assert 3 < limit.rate < 5
    limit.slow_down(10.0, None)
    found = limit.rate
    limit.answered()
    assert limit.rate < found + 0.1  # now it is known


def test_a_service_that_takes_nothing_is_asked_every_five_seconds() -> None:
    limit = RateLimit()
    limit.slow_down(0.0, None)
    assert limit.rate == 0.2


def test_the_third_refusal_in_a_row_that_names_no_time_waits_for_the_next_window() -> None:
    limit = slowed()
    limit.slow_down(2.0, None)
    assert limit.delay(2.0) == 1.0
    limit.slow_down(3.0, None)
    assert limit.delay(3.0) == 58.0  # a minute after the first
    assert limit.rate == 50 * 0.93  # no lower rate helps against a count
    limit.slow_down(62.0, None)
    assert limit.delay(62.0) == 59.0


def test_refusals_that_name_a_time_or_have_an_answer_in_between_wait_for_no_window() -> None:
    limit = slowed()
    for now in (2.0, 3.0, 4.0):
        limit.slow_down(now, 1.0)
        assert limit.delay(now) == 1.0
    limit.answered()
    for now in (5.0, 6.0):
        limit.slow_down(now, None)
        assert limit.delay(now) == 1.0
