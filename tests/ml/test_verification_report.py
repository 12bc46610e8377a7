from __future__ import annotations

from ml.verification_report import FIGURES, attacks, markdown, points, rows
from tests.ml.reports import report


def test_every_row_has_every_figure() -> None:
    lines = rows(report()).splitlines()
    assert len(lines) == 2 + 5 + 1
    assert len({line.count("|") for line in lines}) == 1
    assert "| the row rich_one | 559 | 2,795 | 22,360 | 0.5000 (0.4500 to 0.5500) |" in lines[4]
    assert all(label in lines[0] for label in FIGURES.values())


def test_operating_points_stand_beside_what_they_do() -> None:
    line = points(report()).splitlines()[2]
    assert line == (
        "| the row four_one | balanced | 90 | 1.00 % (0.90 to 1.10) | 10.00 % (9.00 to 11.00) |"
    )


def test_attacks_have_a_column_an_input() -> None:
    lines = attacks(report()).splitlines()
    assert lines[0] == "| attack | asked | four numbers | rich windows |"
    told, missed = "a recorded session sent again: accepted", "25.0 % (22.5 to 27.5), missed"
    assert lines[2] == f"| {told} | at most 0 % | {missed} | {missed} |"


def test_one_attacker_through_where_none_was_asked_is_a_miss() -> None:
    poisoned = {"poisoning": {"what": "through", "value": 0.01, "low": 0.0, "high": 0.03}}
    none = {"poisoning": {"what": "through", "value": 0.0, "low": 0.0, "high": 0.03}}
    made = {**report(), "attacks": {"four": none, "rich": poisoned}}
    line = attacks(made).splitlines()[2]
    assert line == "| through | at most 0 % | 0.0 % (0.0 to 3.0) | 1.0 % (0.0 to 3.0), missed |"


def test_what_was_asked_of_one_input_is_no_verdict_on_the_other() -> None:
    guess = {"population_guess": {"what": "guess", "value": 0.2, "low": 0.1, "high": 0.3}}
    line = attacks({**report(), "attacks": {"four": guess, "rich": guess}}).splitlines()[2]
    assert (
        "at most 15 % (rich windows) | 20.0 % (10.0 to 30.0) | 20.0 % (10.0 to 30.0), missed"
        in line
    )


def test_a_report_without_attacks_shows_none() -> None:
    text = markdown({**report(), "attacks": {}})
    assert "attack" not in text
    assert "| balanced |" in text
