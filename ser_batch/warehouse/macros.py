"""What `sql/macros.sql` is bound to when its functions are created."""

from __future__ import annotations

from string import Template

import numpy as np
from scipy import special

from ser_batch.arrays import DoubleArray

N_STEPS = 100
"""Of the table of Student's t; values between its steps are right to 0.01 %."""


def bind_macros(text: str, *, min_calls: int) -> str:
    """The statements that create the functions.

    Args:
        text: of `sql/macros.sql`
        min_calls: the setting report.min_calls
    """
    quantiles = ", ".join(f"{value:.6f}" for value in student_t_quantiles())
    return Template(text).substitute(
        min_calls=min_calls, student_t_quantiles=quantiles, student_t_steps=N_STEPS
    )


def student_t_quantiles() -> DoubleArray:
    """97.5 % quantiles where 1 / degrees of freedom is 0, 1 / N_STEPS, …, 1."""
    degrees = N_STEPS / np.arange(1, N_STEPS + 1)
    return np.array([special.ndtri(0.975), *special.stdtrit(degrees, 0.975)])
