"""Scoring loads LightGBM alone; training may use scikit-learn beside it."""

from __future__ import annotations

import subprocess
import sys


def printed(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_lightgbm_is_loaded_without_the_libraries_that_scoring_does_not_use():
    program = (
        "import sys; from ser_batch.scoring.trees import UNUSED, lightgbm; lightgbm().Booster;"
        "print(sorted(set(UNUSED) & set(sys.modules)));"
        "import sklearn.base; print(sklearn.__name__)"
    )
    assert printed(program).splitlines() == ["[]", "sklearn"], "and later imports find them"


def test_lightgbm_keeps_its_interface_to_a_scikit_learn_that_is_imported():
    program = (
        "import sklearn; from ser_batch.scoring.trees import lightgbm;"
        "print(lightgbm().LGBMClassifier().get_params()['n_estimators'])"
    )
    assert printed(program) == "100"
