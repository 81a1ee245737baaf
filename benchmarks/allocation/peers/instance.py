"""An allocation problem as `qbitopt solve` reads it, as arrays."""
import csv
from fractions import Fraction

import numpy as np


class Instance:
    """n quantizers with the same m candidates, one budget over all."""

    def __init__(self, file, budget):
        rows = {}
        with open(file, newline="") as lines:
            for row in csv.DictReader(lines):
                rows.setdefault(row["quantizer"], []).append((int(row["bits"]), float(row["cost"]), int(row["weight"])))
        self.bits = np.array([bits for bits, _, _ in next(iter(rows.values()))])
        self.weights = np.array([choices[0][2] for choices in rows.values()])
        self.costs = np.array([[cost for _, cost, _ in choices] for choices in rows.values()])
        # Largest sum of weight * bits, exactly.
        self.capacity = int(Fraction(budget) * int(self.weights.sum()) // 1)
        self.loads = self.weights[:, None] * self.bits[None, :]

    def load(self, choice):
        return int(self.loads[np.arange(len(choice)), choice].sum())


def fill_greedily(instance, choice):
    """From an allocation that fits: the step to a larger candidate that saves most per load, until none fits."""
    choice = choice.copy()
    left = instance.capacity - instance.load(choice)
    index = np.arange(len(choice))
    step = instance.loads - instance.loads[index, choice][:, None]
    saved = instance.costs[index, choice][:, None] - instance.costs
    with np.errstate(divide="ignore", invalid="ignore"):
        worth = np.where((step > 0) & (saved > 0), saved / step, 0.0)
    while True:
        worth[step > left] = 0
        q, j = np.unravel_index(np.argmax(worth), worth.shape)
        if worth[q, j] <= 0:
            return choice
        left -= int(step[q, j])
        choice[q] = j
        step[q] = instance.loads[q] - instance.loads[q, j]
        gain = instance.costs[q, j] - instance.costs[q]
        with np.errstate(divide="ignore", invalid="ignore"):
            worth[q] = np.where((step[q] > 0) & (gain > 0), gain / step[q], 0.0)
