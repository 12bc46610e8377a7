"""Every attack on one input, each as a rate with its interval: what the report says of the defences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ml.attacks_bots import KINDS, bots, genuine_flagged
from ml.attacks_guess import guess_at, stolen
from ml.attacks_poison import DAYS, LONGEST, STEPS_A_DAY, poison
from ml.attacks_replay import exact, mistaken, mistaken_long, moved, whole_copies
from ml.dataset import SessionTable
from ml.defended import Service
from ml.enrolled import compare
from ml.metrics import Floats, Scored, Sweep, bootstrap
from ml.protocol import first_sessions
from ml.upkeep import grow
from ml.verification import bounded, share

BOTS = 1_000  # sessions of each kind
STOLEN = (1, 5, 10)
NOISES = (0.5, 1.0)
SHORT, GROWN = 5, 7  # patterns enrolled, and genuine sessions that may enter after them
YOUNG = (1, 2, 4)  # patterns of a history to which the update threshold applies, not acceptance
NO_QUOTA = 1_000


def attack(
    service: Service,
    table: SessionTable,
    others: SessionTable | None,
    *,
    rich: bool,
    patterns: int,
    seed: int,
    tick: Callable[[], None],
) -> dict[str, Any]:
    """{name: {"what", "value", "low", "high", ...}} for the people of `table`; `others` is whom the attacker has seen.

    Without others, the attacker has seen one half of the people and guesses at the other.
    Raises ValueError when too few people have more than `patterns` sessions.
    """
    people = first_sessions(table, patterns, rich)
    found: dict[str, Any] = {}

    def put(name: str, what: str, values: Floats, **more: Any) -> None:
        rng = np.random.default_rng(seed)
        found[name] = {"what": what, **share(values, rng), "people": len(values), **more}
        tick()

    def draws() -> np.random.Generator:
        return np.random.default_rng(seed)

    put("replay_exact", "a recorded session sent again: accepted", exact(service, people))
    put(
        "replay_moved", "the same, one number moved by 1: accepted", moved(service, people, draws())
    )
    pairs = compare(people, 1, draws())
    put("replay_mistaken", "genuine sessions taken for a replay", mistaken(pairs, False))
    put(
        "replay_mistaken_whole",
        "the same where all four numbers are whole",
        mistaken(pairs, True),
    )
    if not rich:  # a chain's whole numbers are all that it sends
        put(
            "replay_whole",
            f"copy of whole numbers, one moved by 1, of a history of {LONGEST}: accepted",
            whole_copies(service, people, draws()),
        )
        put(
            "replay_mistaken_whole_50",
            f"genuine sessions of whole numbers taken for a replay of {LONGEST} patterns, by their pairs",
            mistaken_long(pairs),
        )
    guessed = guess_at(service, people, table, others, draws())
    if guessed is not None:
        put("population_guess", "ten typical sessions of other people: people broken", guessed)
    for sessions in (count for count in STOLEN if count <= patterns):
        for noise in NOISES:
            taken = stolen(service, people, sessions, noise, draws())
            what = f"mean of {sessions} stolen sessions, noise of {noise:g} deviations: accepted"
            put(f"stolen_{sessions}_noise_{noise:g}", what, taken)
    for kind in KINDS:
        flags = bots(service, kind, rich, BOTS, draws())
        put(f"bot_{kind}", f"program with {kind} timing: flagged", flags)
    put(
        "genuine_flagged",
        "genuine sessions flagged as no person's",
        genuine_flagged(service, people),
    )
    _poisoned(service, table, rich, patterns, seed, put)
    return found


def _poisoned(
    service: Service,
    table: SessionTable,
    rich: bool,
    patterns: int,
    seed: int,
    put: Callable[..., None],
) -> None:
    open_door = replace(service, guarded=False, updates_per_day=NO_QUOTA)
    steps = f"{STEPS_A_DAY} steps a day for {DAYS} days"
    young = [
        (f"poisoning_from_{n}", service, f"poisoning from a history of {n}: attackers through", n)
        for n in YOUNG
        if n < patterns
    ]
    for name, defended, what, known in (
        ("poisoning", service, f"poisoning, {steps}: attackers through", patterns),
        ("poisoning_unguarded", open_door, "the same without guard and quota", patterns),
        *young,
    ):
        people = first_sessions(table, known, rich, skip=patterns - known)
        try:
            led = poison(defended, people, np.random.default_rng(seed))
        except ValueError:  # everybody is accepted as somebody else already
            continue
        details = {
            "attackers_sessions_accepted": float(led.attacker_after.mean()),
            "victims_sessions_accepted_before": float(led.victim_before.mean()),
            "victims_sessions_accepted_after": float(led.victim_after.mean()),
            "steps_entered": float(led.entered.mean()),
        }
        put(name, what, led.through, **details)
    try:
        grown = [grow(each, table, rich, SHORT, GROWN, seed) for each in (service, open_door)]
    except ValueError:  # nobody has that many sessions
        return
    put("updates_withheld", "genuine updates withheld by the guard", grown[0].withheld)
    for name, one, what in (
        ("upkeep_eer", grown[0], "EER after genuine updates, with the guard"),
        ("upkeep_eer_unguarded", grown[1], "the same without it"),
    ):
        put(name, what, np.zeros(1), **_eer(one.scored, seed))


def _eer(scored: Scored, seed: int) -> dict[str, Any]:
    sweep = Sweep(scored)
    measured = bootstrap(
        scored, lambda row: {"eer": sweep.rates(row).eer}, np.random.default_rng(seed), 200
    )
    people = len(np.unique(scored.user))
    return {**bounded(measured["eer"], people), "people": people}
