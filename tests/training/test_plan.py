from __future__ import annotations

import numpy as np
import pytest

from skvision.training import SCHEDULES, Plan


def rates(schedule, losses, *, epochs=8, patience=4):
    plan = Plan(epochs, 0.1, SCHEDULES[schedule] if schedule else None, patience=patience)
    return np.array([plan.rate(losses[:epoch]) for epoch in range(len(losses) + 1)])


def test_no_schedule_is_a_constant_rate():
    np.testing.assert_array_equal(rates(None, [1.0, 2.0]), [0.1, 0.1, 0.1])
    assert Plan(8, None, SCHEDULES["cosine"]).rate([]) is None


def test_cosine_falls_all_the_way():
    found = rates("cosine", [1.0] * 7)
    assert found[0] == 0.1
    assert found[4] == pytest.approx(0.05)
    assert (np.diff(found) < 0).all()
    assert 0 < found[-1] < 0.005


def test_step_falls_twice():
    np.testing.assert_allclose(rates("step", [1.0] * 7), [0.1] * 4 + [0.01] * 2 + [0.001] * 2)


def test_plateau_waits_half_of_patience():
    losses = [1.0, 0.5, 0.5, 0.6, 0.4, 0.3]
    np.testing.assert_allclose(rates("plateau", losses), [0.1] * 4 + [0.01] * 3)
    assert rates("plateau", [1.0, 1.0], patience=0)[-1] == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("losses", "patience", "done"),
    [
        ([], 0, False),
        ([1.0], 0, False),
        ([1.0, 1.0], 0, True),
        ([1.0, 0.9], 1, False),
        ([1.0, 1.1], 1, True),
        ([1.0, 1.1], 2, False),
        ([1.0, 1.1, 1.2], 2, True),
        ([1.0, 1.1, 0.9, 1.0], 2, False),
        ([np.nan, 1.0], 1, False),
        ([1.0, np.nan], 1, True),
        ([np.nan, np.nan], 2, False),
        ([1.0] * 5, 99, True),
    ],
)
def test_when_early_stopping_stops(losses, patience, done):
    assert Plan(5, 0.1, patience=patience, early_stopping=True).is_done(losses) is done
    assert Plan(5, 0.1, patience=patience).is_done(losses) is (len(losses) == 5)
