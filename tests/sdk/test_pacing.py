"""How often somebody is asked who does not answer."""

from headway.sdk.interactive.pacing import Pace


def test_pauses_grow_to_a_bound_and_end_with_the_first_answer() -> None:
    now = 0.0
    pauses: list[float] = []
    pace = Pace(1.0, clock=lambda: now, jitter=lambda: 1.0)
    assert pace.due()
    for _ in range(6):
        pace.note(worked=False)
        began = now
        while not pace.due():
            now += 0.25
        pauses.append(now - began)
    assert pauses == [1.0, 2.0, 4.0, 8.0, 15.0, 15.0]
    pace.note(worked=True)
    assert pace.due()


def test_pauses_are_of_uneven_length() -> None:
    now = 0.0
    pace = Pace(1.0, clock=lambda: now, jitter=lambda: 0.0)
    pace.note(worked=False)
    now = 0.5
    assert pace.due()
