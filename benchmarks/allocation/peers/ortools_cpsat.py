"""OR-Tools CP-SAT; costs as integers up to 1e12, every core."""
import os

import numpy as np
from ortools.sat.python import cp_model


def solve(instance, time_limit):
    n, m = instance.costs.shape
    costs = np.rint(instance.costs * (1e12 / np.abs(instance.costs).max())).astype(np.int64)
    model = cp_model.CpModel()
    x = [[model.new_bool_var("") for _ in range(m)] for _ in range(n)]
    for row in x:
        model.add_exactly_one(row)
    flat = [variable for row in x for variable in row]
    model.add(cp_model.LinearExpr.weighted_sum(flat, instance.loads.ravel().tolist()) <= instance.capacity)
    model.minimize(cp_model.LinearExpr.weighted_sum(flat, costs.ravel().tolist()))
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = time_limit
    solver.parameters.num_workers = os.cpu_count()
    if solver.solve(model) not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return None
    return np.array([[solver.boolean_value(variable) for variable in row] for row in x]).argmax(axis=1)
