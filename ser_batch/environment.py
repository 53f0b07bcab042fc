"""The environment variables that this program sets; nothing else changes `os.environ`.

A library reads each of them when it is imported, or wherever it opens a connection, and offers no
other way in. What the user has set stays. CONTRIBUTING lists them with the reasons.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

NO_TELEMETRY = {"ORT_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1"}
"""onnxruntime and Prefect send usage data unless these are set; nothing leaves the machine."""

ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"
)
"""Processes share the work; threads of a small matrix product only wait for each other."""

NO_TYPE_CHECKS = {"PY_KEY_VALUE_DISABLE_BEARTYPE": "1"}
"""A library of Prefect's server wraps each of its functions in type checks when it is imported."""


def set_unless_given(variables: Mapping[str, str]) -> None:
    """Set the variables that are not set, or are empty."""
    for name, value in variables.items():
        os.environ[name] = os.environ.get(name) or value


def bypass_proxy(host: str) -> None:
    """Let connections to a host go past a configured proxy."""
    for name in ("no_proxy", "NO_PROXY"):
        hosts = [listed for listed in os.environ.get(name, "").split(",") if listed]
        os.environ[name] = ",".join(dict.fromkeys([*hosts, host]))
