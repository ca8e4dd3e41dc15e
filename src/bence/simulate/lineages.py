"""Clones where cells are few: the equations give the mean, chance the cells that are there. Some die out, and some arise anew."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .blood import CLONES
from .chance import chance
from .draws import uniform
from .extinction import FEW, cells_left
from .model import Model

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]
GONE = -40.0  # ln cells of a clone that has died out
FROM = {"ln_bcma_low": ("ln_sensitive",), "ln_gprc5d_loss": ("ln_sensitive",), "ln_double_loss": ("ln_bcma_low", "ln_gprc5d_loss"),
        "ln_resistant": ("ln_sensitive",)}  # fmt: skip


class Lineages:
    """The clones of a cohort. `extinct[clone, patient]`: the day a clone was seen to be gone, NaN where it lives."""

    def __init__(self, model: Model, numbers: NDArray[np.int64], seed: int) -> None:
        self.rows = [(model.state_index[name], model.state_index[name.replace("ln_", "age_")]) for name in CLONES]
        self.numbers, self.seed = numbers, seed
        self.extinct = np.full((len(CLONES), numbers.size), np.nan)

    def settle(self, before: Floats, state: Floats, people: Rows, birth: Floats, day: int, days: int) -> None:
        """Replace mean sizes by whole cells where they are few, after a stretch that ended on `day`.

        `before` and `state`: [state, patient] at its start and end; `people` those it was for; `birth`: their births per cell a day.
        """
        for number, (size, age) in enumerate(self.rows):
            living = people[np.isnan(self.extinct[number, people])]
            few = living[np.minimum(before[size, living], state[size, living]) < np.log(FEW)]
            start = np.maximum(np.round(np.exp(before[size, few])), 1)
            growth = np.exp(state[size, few] - before[size, few])
            exposure = np.exp(before[size, few]) * (state[age, few] - before[age, few])
            draws = [uniform(self.seed, f"{purpose} {CLONES[number]}", self.numbers[few], day) for purpose in ("survival", "size")]
            left = cells_left(start, growth, exposure, *draws)
            state[size, few] = np.where(left > 0, np.log(np.maximum(left, 1)), GONE)
            self.extinct[number, few[left == 0]] = day
        self._arise(before, state, people, birth, day, days)
        for number, (size, _) in enumerate(self.rows):
            state[size, ~np.isnan(self.extinct[number])] = GONE

    def _arise(self, before: Floats, state: Floats, people: Rows, birth: Floats, day: int, days: int) -> None:
        """A clone that is gone comes anew from a cell of another clone, at the divisions of the stretch."""
        for name, sources in FROM.items():
            number = CLONES.index(name)
            gone = np.flatnonzero(~np.isnan(self.extinct[number, people]))
            parents = sum(np.exp(before[self.rows[CLONES.index(source)][0], people[gone]]) for source in sources)
            expected = chance("arrival") * birth[gone] * days * parents
            new = people[gone[uniform(self.seed, f"arrival {name}", self.numbers[people[gone]], day) < -np.expm1(-expected)]]
            state[self.rows[number][0], new] = 0.0
            self.extinct[number, new] = np.nan
