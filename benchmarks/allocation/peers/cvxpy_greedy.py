"""The continuous relaxation by a general convex solver, then the greedy integer step from one candidate below."""
import cvxpy as cp
import numpy as np

from instance import fill_greedily


def relax_fit(instance, scale):
    """Costs S / (2^b - 1)^2 for real b: with v = -b ln 2 and exp(v) + exp(-t) <= 1 they are S exp(2 v + 2 t)."""
    n = len(scale)
    bits, t = cp.Variable(n), cp.Variable(n)
    v = -np.log(2) * bits
    share = instance.weights / instance.weights.sum()
    problem = cp.Problem(
        cp.Minimize(cp.sum(cp.exp(2 * v + 2 * t + np.log(scale / scale.max())))),
        [cp.exp(v) + cp.exp(-t) <= 1, bits >= instance.bits[0], bits <= instance.bits[-1],
         share @ bits <= instance.capacity / instance.weights.sum()])
    problem.solve(solver=cp.CLARABEL)
    return bits.value


def relax_table(instance):
    """Any costs: the linear relaxation of the choice among candidates."""
    x = cp.Variable(instance.costs.shape, nonneg=True)
    share = instance.loads / instance.weights.sum()
    problem = cp.Problem(
        cp.Minimize(cp.sum(cp.multiply(instance.costs / np.abs(instance.costs).max(), x))),
        [cp.sum(x, axis=1) == 1, cp.sum(cp.multiply(share, x)) <= instance.capacity / instance.weights.sum()])
    problem.solve(solver=cp.CLARABEL)
    return x.value @ instance.bits


def solve(instance, time_limit):
    scale = instance.costs[:, 0] * (2.0 ** instance.bits[0] - 1) ** 2
    fit = scale[:, None] / (2.0 ** instance.bits[None, :] - 1) ** 2
    is_fit = np.allclose(instance.costs, fit, rtol=1e-9, atol=0)
    relaxed = relax_fit(instance, scale) if is_fit else relax_table(instance)
    floor = np.searchsorted(instance.bits, relaxed + 1e-6, side="right") - 1
    return fill_greedily(instance, np.maximum(0, floor - 1))
