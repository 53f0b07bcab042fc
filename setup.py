"""Put what lies at the top level of the checkout, SQL and the bundled model, into the wheel."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

SHIPPED = {"sql": "sql", "data/bundled": "bundled"}


class BuildWithShipped(build_py):
    """`ser_batch.resources` finds these folders beside the package, or else inside it."""

    def run(self) -> None:
        """Build, then copy."""
        super().run()
        if self.editable_mode:
            return
        for source, target in SHIPPED.items():
            place = Path(self.build_lib) / "ser_batch" / "shipped" / target
            shutil.copytree(source, place, dirs_exist_ok=True)


setup(cmdclass={"build_py": BuildWithShipped})
