from __future__ import annotations

import numpy as np

from ml.evaluation import Evaluation
from ml.metrics import Scored
from ml.report import FIGURES, kinds, table


def evaluation(name: str) -> Evaluation:
    figures = {key: {"value": 0.123, "low": 0.1, "high": 0.15} for key in FIGURES}
    counts = {"people": 1_234, "genuine": 10, "impostor": 20}
    scored = Scored(np.array([0.2, 0.8]), np.array([False, True]), np.array([1, 1]))
    entry = {"comparisons": 1_500, "accepted": 0.25, "anomalous": 0.5}
    return Evaluation(name, counts, figures, scored, {"kinds": {"bot": entry}})


def test_the_table_has_a_column_per_data_set_and_a_row_per_figure() -> None:
    lines = table([evaluation("first"), evaluation("second")]).splitlines()
    assert lines[0] == "|  | first | second |"
    assert len(lines) == 2 + 3 + len(FIGURES)
    assert all(line.count("|") == 4 for line in lines)


def test_rates_are_in_percent_and_auc_is_not() -> None:
    text = table([evaluation("one")])
    assert "| EER | 12.3 % (10.0 to 15.0) |" in text
    assert "| AUC | 0.123 (0.100 to 0.150) |" in text
    assert "| people | 1,234 |" in text


def test_each_kind_of_impostor_has_its_line() -> None:
    assert kinds(evaluation("one")).splitlines()[-1] == "| bot | 1,500 | 25.0 % | 50.0 % |"
