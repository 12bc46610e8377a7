"""The Markdown of a measurement."""

from __future__ import annotations

import pytest

from bench.figures import Figure
from bench.table import (
    contestants_table,
    falls,
    figures_table,
    machine_line,
    machine_speeds,
    page,
    scorer_table,
    summary,
)
from tests.bench.documents import document


def line(text: str, containing: str) -> str:
    (found,) = [line for line in text.splitlines() if containing in line]
    return found


def test_a_figure_stands_beside_what_it_is_to_reach_and_its_spread() -> None:
    found = line(figures_table(document()["figures"]), "against Mosec")
    cells = [cell.strip() for cell in found.strip("|").split("|")]
    assert cells[1:] == ["at least 1.00 x", "1.05 x", "1.00 to 1.10", "reached"]


def test_what_is_missed_stands_out_and_what_was_not_measured_says_so() -> None:
    text = figures_table(document()["figures"])
    assert line(text, "echo and the scorer's").endswith("| reached |")
    assert "not measured" in line(text, "against Ray Serve")
    entry = document()["figures"][0] | {"at_least": 9000.0, "reached": False}
    assert "**not reached**" in figures_table([entry])


def test_zero_is_written_as_such() -> None:
    assert "| at most 0 | 0 | 0 to 0 | reached |" in figures_table(document()["figures"])


def test_a_peer_that_is_out_is_listed_with_its_reason_on_one_line() -> None:
    found = line(contestants_table(document()), "Ray Serve")
    assert "not measured: not installed; help: make bench" in found
    assert "about ray" in found
    assert "more of it" not in contestants_table(document())


def test_one_that_fell_out_on_the_way_keeps_what_it_reached() -> None:
    made = document()
    made["contestants"][1]["out"] = "no answer | at all"
    found = line(contestants_table(made), "Mosec")
    assert found.startswith("| Mosec | 1.0 | 4,000 |")
    assert found.endswith("**fell out**: no answer / at all |")


def test_every_row_of_every_table_has_as_many_cells_as_its_head() -> None:
    made = document()
    for table in (figures_table(made["figures"]), contestants_table(made), scorer_table(made)):
        widths = {row.count("|") for row in table.splitlines()}
        assert len(widths) == 1, table


@pytest.mark.parametrize(
    ("plan", "target"), [("full", "`make bench`"), ("quick", "`make bench-quick`")]
)
def test_the_machine_the_date_and_the_generator_are_named(plan: str, target: str) -> None:
    text = machine_line(document(plan=plan))
    for part in (
        "2026-11-21",
        "2 cores of Some Processor",
        "load average before: 0.1",
        "torch 2.13.0",
        "by wrk",
        target,
    ):
        assert part in text


def test_the_page_shows_both_pictures_and_the_summary_the_first_figures_only() -> None:
    made = page(document())
    assert "performance/throughput.png" in made
    assert "performance/latency.png" in made
    assert "latency.png" not in page(document(curve=[]))
    assert "resident memory" in made
    assert "resident memory" not in summary(document())
    assert "open loop at 800" in summary(document())


def test_the_scorer_is_shown_by_size_of_batch() -> None:
    assert "| 64 | 30,000 | 50,000 |" in scorer_table(document())


def test_what_is_open_says_so_where_the_figure_would_stand() -> None:
    assert "open: no GPU on this machine" in line(page(document()), "on a GPU")


def test_where_there_must_be_none_the_worst_round_is_shown() -> None:
    entries = [Figure("lost", "", (0.0, 0.0, 3.0), at_most=0.0).entry()]
    assert "| at most 0 | 3.00 | 0 to 3.00 | **not reached** |" in figures_table(entries)


def test_a_peers_rounds_and_its_refusals_stand_beside_its_rate() -> None:
    text = contestants_table(document())
    assert "| 0 | 4,000, 4,400, 4,200 |" in line(text, "this service")
    assert "| 3 | 4,000, 4,000, 4,000 |" in line(text, "Mosec")


@pytest.mark.parametrize(
    ("rates", "machine", "marked"),
    [
        ([100.0, 90.0, 85.0], [1.0, 1.0, 1.0], False),
        ([100.0, 100.0, 70.0, 60.0], [1.0, 1.0, 1.0, 1.0], True),
        ([100.0, 50.0], [1.0, 0.5], False),
        ([100.0, 50.0], [1.0, 0.9], True),
        ([100.0], [1.0], False),
        ([], [], False),
    ],
)
def test_who_does_not_come_back_to_his_speed_is_marked(
    rates: list[float], machine: list[float], marked: bool
) -> None:
    assert falls(rates, machine) is marked


def test_the_machines_speed_is_that_of_the_middle_contestant() -> None:
    made = document()
    rates = {"service": [100.0, 50.0], "mosec": [10.0, 5.0], "ray": [8.0, 1.0]}
    made["samples"] = {f"rate/{name}": values for name, values in rates.items()}
    assert machine_speeds(made) == [1.0, 0.5]
    assert "8.00, 1.00 (**falls**)" in contestants_table(made)
    assert contestants_table(made).count("falls") == 1
