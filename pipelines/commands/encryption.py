"""Commands `encrypt` and `decrypt`: a root under a key, and plain copies out of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.options import (
    DEFAULT_ROOT,
    JsonOption,
    RootOption,
    SettingsOption,
    existing_root,
    print_json,
)


def encrypt(
    root: RootOption = DEFAULT_ROOT,
    *,
    new_key_file: Annotated[
        Path | None,
        typer.Option(help="Replace the key by that of a file; name the file in the settings then."),
    ] = None,
    settings_file: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Encrypt what lies under a root with the key of the settings, or replace that key.

    A root whose first night has a key is encrypted from the start. Run this for
    one that is not, and after a change of encryption.open_reports. If it is
    interrupted, run it again.

    Examples:

      SER_ENCRYPTION__KEY_FILE=/etc/ser-batch/key ser-batch encrypt

      ser-batch encrypt --new-key-file /etc/ser-batch/new-key
    """
    from pipelines.terminal import progress_bar
    from ser_batch.config import EncryptionSettings
    from ser_batch.settings_file import find_settings_file, load_settings
    from ser_batch.store.encrypt import encrypt as encrypt_root
    from ser_batch.store.encrypt import replace_key
    from ser_batch.store.lock import only_run

    place = existing_root(root)
    settings = load_settings(settings_file or find_settings_file(place.path)).encryption
    with only_run(place):
        if new_key_file is not None:
            replace_key(place, settings, EncryptionSettings(key_file=str(new_key_file)))
            n_files, said = 1, f"{place.path} has the key of {new_key_file} from now on"
        else:
            with progress_bar() as on_progress:
                n_files = encrypt_root(
                    place, settings, lambda done, total: on_progress("encrypt", done, total)
                )
            said = f"{place.path} is encrypted; {n_files} files were written again"
    print_json({"root": str(place.path), "n_files": n_files}) if as_json else typer.echo(said)


def decrypt(
    source: Annotated[Path, typer.Argument(help="File or folder under the root.")],
    target: Annotated[Path, typer.Argument(help="The copy, outside the root.")],
    *,
    root: RootOption = DEFAULT_ROOT,
    settings_file: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Copy a report, the warehouse or a whole root, decrypted; this user alone can read the copy.

    Examples:

      ser-batch decrypt data/reports/latest.html latest.html

      ser-batch decrypt data/warehouse/calls.duckdb /dev/shm/calls.duckdb

      ser-batch decrypt data/reports reports
    """
    from pipelines.options import read_settings
    from ser_batch.store.encrypt import decrypt as copy_decrypted
    from ser_batch.store.keys import encrypted_root

    read_settings(existing_root(root), settings_file)
    if not source.exists():
        raise typer.BadParameter(f"{source} is not there", param_hint="SOURCE")
    if encrypted_root(target) is not None:
        raise typer.BadParameter("name a place outside the encrypted root", param_hint="TARGET")
    n_files = copy_decrypted(source, target)
    if as_json:
        print_json({"target": str(target), "n_files": n_files})
    else:
        typer.echo(f"{target}: {n_files} files, decrypted")
