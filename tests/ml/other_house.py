"""People of another population than the shipped model's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ml.aalto import aalto
from ml.dataset import SessionTable
from ml.features import KEY_HOLD, TRANSITION
from ml.synthetic import people


def other_house() -> SessionTable:
    """220 people with 12 sessions of four numbers each: slower, and each steadier than the base people are."""
    figures = aalto()
    centre = figures.population.centre.copy()
    centre[KEY_HOLD] += 0.3
    centre[TRANSITION] += 0.5
    alpha, beta = figures.population.alpha / 3, figures.population.beta / 3
    population = replace(figures.population, centre=centre, alpha=alpha, beta=beta)
    drawn = replace(figures, population=population)
    return people(drawn, np.full(220, 12), np.random.default_rng(8)).plain()
