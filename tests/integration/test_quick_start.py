"""Every command of the quick start is run, and every script of all guides."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.guides import GUIDES, QUICK_START, blocks, run_commands, run_script, working_folder


def test_the_commands_of_the_quick_start_work_in_their_order(tmp_path: Path) -> None:
    assert QUICK_START in GUIDES
    run_commands(QUICK_START, working_folder(tmp_path))


@pytest.mark.parametrize(("name", "script"), list(blocks("python")))
def test_the_scripts_of_a_guide_work(name: str, script: str, tmp_path: Path) -> None:
    run_script(name, script, working_folder(tmp_path))
