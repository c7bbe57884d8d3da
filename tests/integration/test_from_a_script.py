"""The script of the guide to scenarios, against a real server."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from support.serving import running

from tft_dash.scenarios.files import generate_drill
from tft_dash.scenarios.library import load_scenario

GUIDE = Path(__file__).parents[2] / "docs" / "scenarios.md"


def test_the_requests_of_the_guide_do_what_it_says(tmp_path: Path) -> None:
    script = re.findall(r"```sh\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    assert len(script) == 1
    generate_drill(load_scenario("cascade"), tmp_path / "drills", formats=("parquet",))
    with running("serve", folder=tmp_path) as server:
        lines = script[0].replace("http://127.0.0.1:8050", server.url)
        done = subprocess.run(
            ["bash", "-e", "-c", lines], cwd=tmp_path, check=False, capture_output=True, text=True, timeout=60
        )
    assert done.returncode == 0, done.stderr
    assert '"valid":true' in done.stdout
    assert '"version":2' in done.stdout
    assert (tmp_path / "mine.yaml").read_bytes() == (tmp_path / "drills" / "cascade.scenario.yaml").read_bytes()
