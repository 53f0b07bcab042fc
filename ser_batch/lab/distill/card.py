"""The encoder's card, written by the command that trained it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ser_batch.lab.distill.curve import CURVE_FILE

INTENDED = """\
## What it is for
Describing a segment of telephone speech by numbers from which a small model classifies emotions.

## What it must not be used for
- Inferring emotions of people at work: prohibited in the EU (Regulation (EU) 2024/1689,
  Art. 5(1)(f)). ser-batch scores the customer's channel only.
- Recognising who speaks.
"""


def encoder_card(manifest: Mapping[str, Any]) -> str:
    """Markdown with every figure taken from the manifest."""
    blocks = " and ".join(str(block) for block in manifest["after_blocks"])
    hours = sum(entry["hours"] for entry in manifest["material"])
    held_out = manifest["held_out"]
    return "\n".join(
        [
            f"# {manifest['name']}",
            "",
            f"{manifest['n_parameters'] / 1e6:.1f} million parameters in eight bits, "
            f"{manifest['n_bytes'] / 1e6:.2f} MB, for speech of 8 kHz. Made by "
            f"`{manifest['command']}`.",
            "",
            f"{_origin(manifest)} It was trained to predict from a telephone copy (band, "
            "microphone, mu-law, A-law, GSM, level, noise, surroundings, other voices, lost "
            f"packets) the teacher's states of the clean recording after its blocks {blocks}. Its "
            "features are the mean and the standard deviation of these states over a segment.",
            "",
            INTENDED,
            "## Training audio",
            f"{_labels(manifest)} Each clip was also used slower and faster. Figures of emotions "
            "on a corpus named here are of voices that it was trained on; those on other corpora "
            "are not.",
            "",
            "| source | files | hours | licence |",
            "| --- | --- | --- | --- |",
            *(
                f"| {entry['source']} | {entry['n_files']} | {entry['hours']:.2f} | "
                f"{entry['licence']} |"
                for entry in manifest["material"]
            ),
            "",
            "Sounds that were mixed in, not learnt: "
            + ("; ".join(f"{n['source']} ({n['licence']})" for n in manifest["noise"]) or "none")
            + ".",
            "",
            f"Licence that it carries from its audio: **{manifest['licence']}**; from its teacher: "
            f"**{manifest['teacher']['licence']}**.",
            "",
            "## Figures",
            f"{hours:.1f} hours, {manifest['plan']['n_steps']} steps, seed {manifest['seed']}. "
            f"Error on {held_out['n_clips']} clips of voices that it was never trained on, in "
            "standard deviations of the teacher's states: "
            f"**{held_out['error']:.3f}**, {held_out['error_before']:.3f} before training.",
            "",
            f"![loss and error by step]({CURVE_FILE})",
            "",
        ]
    )


def _labels(manifest: Mapping[str, Any]) -> str:
    if not (voted := manifest.get("votes")):
        return "No label was used: no emotion, no word and no speaker's name."
    return (
        f"The emotions that listeners perceived in {' and '.join(voted)} were a second target: a "
        "linear layer over the pooled states predicted the shares of their votes. No other label "
        "was used: no word and no speaker's name."
    )


def _origin(manifest: Mapping[str, Any]) -> str:
    teacher = manifest["teacher"]
    begun = manifest["begun_from"]
    if begun == teacher["name"]:
        return (
            f"It began as the parts of {teacher['title']} ({teacher['licence']}) that matter most "
            "on telephone speech."
        )
    return f"It began as `{begun}`; its teacher was {teacher['title']} ({teacher['licence']})."
