"""Every command in the README and the guides is run; those of the quick start in test_quick_start.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.guides import GUIDES, QUICK_START, run_commands, shell_lines, working_folder

WITH_COMMANDS = [guide for guide in GUIDES if guide != QUICK_START and shell_lines(guide)]


@pytest.mark.parametrize("guide", WITH_COMMANDS, ids=lambda path: path.name)
def test_the_commands_of_a_guide_work_in_their_order(guide: Path, tmp_path: Path) -> None:
    run_commands(guide, working_folder(tmp_path))
