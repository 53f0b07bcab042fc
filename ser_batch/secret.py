"""A secret of the settings: given in the environment, held by a file, or printed by a program."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

from pydantic import SecretStr

from ser_batch.errors import SettingsError

COMMAND_S = 30


def read_secret(
    name: str, given: SecretStr | None, file: str | None, command: str | None
) -> str | None:
    """The first of the three that is set, without white space at its ends; None if none is.

    Args:
        name: of the setting; `<name>_file` and `<name>_command` name the other two
        given: the secret itself
        file: that holds it
        command: program and arguments that print it; no shell

    Raises:
        SettingsError: if file or program cannot be read
    """
    try:
        if given is not None:
            return given.get_secret_value().strip()
        if file is not None:
            return Path(file).read_text(encoding="utf-8").strip()
        if command is not None:
            done = subprocess.run(
                shlex.split(command), capture_output=True, check=True, timeout=COMMAND_S, text=True
            )
            return done.stdout.strip()
    except (OSError, UnicodeDecodeError, subprocess.SubprocessError) as error:
        source = f"the file {file}" if file is not None else f"{name}_command"
        raise SettingsError(f"{name} cannot be read from {source}: {error}") from error
    return None
