"""scipy.optimize.milp on the multiple-choice knapsack, scaled as for HiGHS (which it calls)."""
import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, kron, eye_array


def solve(instance, time_limit):
    n, m = instance.costs.shape
    one_each = csr_array(kron(eye_array(n), np.ones((1, m))))
    scale = 1000 / instance.loads.max()
    result = milp((instance.costs * (1000 / np.abs(instance.costs).max())).ravel(), integrality=np.ones(n * m),
                  bounds=Bounds(0, 1),
                  constraints=[LinearConstraint(one_each, 1, 1),
                               LinearConstraint(instance.loads.reshape(1, -1) * scale, -np.inf, instance.capacity * scale)],
                  options={"time_limit": time_limit, "mip_rel_gap": 0})
    return None if result.x is None else np.argmax(result.x.reshape(n, m), axis=1)
