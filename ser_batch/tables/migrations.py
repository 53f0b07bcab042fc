"""How a file of an older version of a contract is brought to the present one."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa

from ser_batch.errors import ContractError
from ser_batch.tables.contract import TableContract


def _by_voice_alone(table: pa.Table) -> pa.Table:
    """Predictions before words were read."""
    nothing = pa.nulls(table.num_rows, pa.float32())
    voice = table.append_column("dissatisfaction_voice", table["dissatisfaction"])
    return voice.append_column("dissatisfaction_words", nothing)


def _without_dimensions(table: pa.Table) -> pa.Table:
    """Predictions before arousal and valence."""
    nothing = pa.nulls(table.num_rows, pa.float32())
    return table.append_column("arousal", nothing).append_column("valence", nothing)


MIGRATIONS: dict[tuple[str, int], Callable[[pa.Table], pa.Table]] = {
    ("features", 1): lambda table: table,  # a part had a column a feature
    ("predictions", 1): _by_voice_alone,
    ("predictions", 2): _without_dimensions,
}
"""(table, old version) → step that turns a file of that version into the next."""


def migrate(contract: TableContract, table: pa.Table, version: int) -> pa.Table:
    """A file's rows brought to the contract's version, step by step.

    Raises:
        ContractError: if the file is newer than this program, or a step is missing
    """
    if version > contract.version:
        raise ContractError(
            f"table {contract.name} was written by a newer ser-batch "
            f"(version {version}, this one knows {contract.version}); install that release, or "
            "restore the copy of the root that was made before the upgrade"
        )
    base = contract.name.split("/")[0]
    for old in range(version, contract.version):
        if (base, old) not in MIGRATIONS:
            raise ContractError(f"table {base}: no way from version {old} to {old + 1}")
        table = MIGRATIONS[base, old](table)
    return table
