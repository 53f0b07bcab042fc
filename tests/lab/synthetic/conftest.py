"""Three calls of the demo, made once."""

from __future__ import annotations

import polars as pl
import pytest

from ser_batch.lab.synthetic.demo import DemoCalls, make_demo_calls


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoCalls:
    pytest.importorskip("py_nanotts", reason="the extra `demo` is not installed")
    return make_demo_calls(tmp_path_factory.mktemp("demo"), n_calls=3, seed=1)


@pytest.fixture(scope="session")
def truth(demo: DemoCalls) -> pl.DataFrame:
    return pl.read_parquet(demo.truth_path)


@pytest.fixture(scope="session")
def metadata(demo: DemoCalls) -> pl.DataFrame:
    return pl.read_csv(demo.metadata_path, infer_schema=False)
