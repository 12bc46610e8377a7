from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ml.aalto import aalto
from ml.dataset import SessionTable
from ml.rich_population import CLIP, MIN_PEOPLE, fit, positive, statistics_of
from ml.statistics import COUNT_OF, COUNTED, WINDOWS
from ml.synthetic import people
from tests.ml.any_rich import any_derived, any_population
from tests.ml.any_sessions import any_numbers


def test_a_statistic_without_a_key_behind_it_or_without_a_value_is_missing() -> None:
    rng = np.random.default_rng(0)
    numbers, derived = any_numbers(50, rng), any_derived((50,), rng, missing=0.3)
    values, counts, windows = statistics_of(numbers, derived)
    for j in range(38):
        expected = derived[:, COUNTED][:, COUNT_OF[j]]
        if j >= 4:
            expected = np.where(derived[:, j - 4] == 0, 0.0, expected)
            assert np.array_equal(values[:, j], derived[:, j - 4])
        assert np.array_equal(counts[:, j], expected)
    assert np.array_equal(windows, derived[:, WINDOWS])


def test_standard_values_are_cut_at_five_deviations() -> None:
    p = any_population(np.random.default_rng(1))
    far = p.standard(p.centre + 100 * p.scale)
    assert far == pytest.approx(CLIP - p.mean)
    assert p.standard(p.centre) == pytest.approx(-p.mean)


def test_noise_of_single_keys_and_of_whole_windows_is_told_apart() -> None:
    figures = aalto()
    noisy = replace(figures.population, alpha=np.full(38, 0.05), beta=np.full(38, 4.0))
    drawn = replace(figures, population=noisy, spread_deviation=0.0, own_spread_deviation=0.0)
    found = fit(people(drawn, np.full(500, 15), np.random.default_rng(2)))
    often = noisy.usual > 5
    noise = found.alpha + found.beta / noisy.usual
    expected = (noisy.alpha + noisy.beta / noisy.usual) * (noisy.scale / found.scale) ** 2
    assert np.median((noise / expected)[often]) == pytest.approx(1.0, abs=0.15)


def test_too_few_rich_people_are_refused() -> None:
    table = people(aalto(), np.full(MIN_PEOPLE - 1, 6), np.random.default_rng(3))
    with pytest.raises(ValueError, match=f"{MIN_PEOPLE - 1} users with 4 sessions .* {MIN_PEOPLE}"):
        fit(table)


def test_sessions_of_four_numbers_take_no_part() -> None:
    table = people(aalto(), np.full(90, 6), np.random.default_rng(4))
    first = fit(table)
    plain = SessionTable(
        np.concatenate([table.user, table.user]),
        np.concatenate([table.unix_seconds, table.unix_seconds + 9]),
        np.concatenate([table.features, table.features * 2]),
        np.concatenate([table.derived_rows(), np.zeros((len(table), 58))]),
    )
    assert np.array_equal(fit(plain).between, first.between)


def test_no_direction_is_left_without_variance() -> None:
    rank_one = np.ones((5, 5))
    assert np.linalg.eigvalsh(positive(rank_one, 0.01)).min() == pytest.approx(0.01)
