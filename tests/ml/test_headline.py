from __future__ import annotations

import pytest

from ml.headline import BEGIN, END, HEADLINE, fraction, headline, percent, replaced, shown
from tests.ml.reports import figure, report


def test_rates_are_in_percent_and_auc_is_not() -> None:
    assert percent(figure(0.05)) == "5.0 % (4.5 to 5.5)"
    assert fraction(figure(0.5)) == "0.500 (0.450 to 0.550)"
    assert shown("auc", figure(0.5)).startswith("0.5000 (")
    assert shown("eer", figure(0.5)).startswith("50.00 % (")


def test_the_table_names_its_rows_and_the_blind_one() -> None:
    lines = headline(report()).splitlines()
    assert (lines[0], lines[-1]) == (BEGIN, END)
    assert len(lines) == 2 + 2 + len(HEADLINE) + 1
    assert lines[-2].startswith("| any session, no history | 0.50 | 50 % |")


def test_only_what_stands_between_the_marks_is_written_anew() -> None:
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    text = replaced(page, report())
    assert text == f"before\n{headline(report())}\nafter\n"
    assert replaced(text, report()) == text


def test_a_page_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="lacks the marks"):
        replaced("a page", report())
