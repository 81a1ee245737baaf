"""HiGHS on the multiple-choice knapsack; costs scaled to a maximum of 1,000, loads likewise, one thread."""
import highspy
import numpy as np


def solve(instance, time_limit):
    n, m = instance.costs.shape
    model = highspy.Highs()
    model.setOptionValue("output_flag", False)
    model.setOptionValue("threads", 1)
    model.setOptionValue("time_limit", float(time_limit))
    model.setOptionValue("mip_rel_gap", 0.0)
    model.setOptionValue("mip_feasibility_tolerance", 1e-9)
    model.setOptionValue("primal_feasibility_tolerance", 1e-9)
    program = highspy.HighsLp()
    program.num_col_, program.num_row_ = n * m, n + 1
    program.col_cost_ = (instance.costs * (1000 / np.abs(instance.costs).max())).ravel()
    program.col_lower_, program.col_upper_ = np.zeros(n * m), np.ones(n * m)
    program.integrality_ = [highspy.HighsVarType.kInteger] * (n * m)
    scale = 1000 / instance.loads.max()
    program.row_lower_ = np.append(np.ones(n), -highspy.kHighsInf)
    program.row_upper_ = np.append(np.ones(n), instance.capacity * scale)
    program.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    program.a_matrix_.start_ = np.append(np.arange(n + 1) * m, 2 * n * m)
    program.a_matrix_.index_ = np.tile(np.arange(n * m), 2)
    program.a_matrix_.value_ = np.append(np.ones(n * m), instance.loads.ravel() * scale)
    model.passModel(program)
    model.run()
    x = np.array(model.getSolution().col_value).reshape(n, m)
    return np.argmax(x, axis=1)
