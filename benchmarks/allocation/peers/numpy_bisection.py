"""The Lagrangian dual by bisection, all quantizers at once, then a greedy fill."""
import numpy as np

from instance import fill_greedily


def choose(instance, price):
    return np.argmin(instance.costs + price * instance.loads, axis=1)


def solve(instance, time_limit):
    low, high = 0.0, 1.0
    if instance.load(choose(instance, low)) <= instance.capacity:
        return choose(instance, low)
    while instance.load(choose(instance, high)) > instance.capacity:
        high *= 16
    for _ in range(60):
        middle = (low + high) / 2
        if instance.load(choose(instance, middle)) > instance.capacity:
            low = middle
        else:
            high = middle
    return fill_greedily(instance, choose(instance, high))
