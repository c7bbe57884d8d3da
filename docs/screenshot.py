"""Make the README's picture anew: the live monitor in the escalation of the default drill.

python docs/screenshot.py [FILE]
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from support.serving import running  # noqa: E402 - the tests' server, found by the line above

TICK = 25
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def main() -> int:
    """Write the picture; status 1 where there is no browser."""
    picture = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "monitor.png"
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        sys.stderr.write(f"A picture needs a browser; none of {', '.join(BROWSERS)} is on the PATH.\n")
        return 1
    with (
        tempfile.TemporaryDirectory() as folder,
        running("demo", folder=Path(folder)) as server,
        sync_playwright() as play,
    ):
        chromium = play.chromium.launch(executable_path=browser, args=["--no-sandbox", "--hide-scrollbars"])
        page = chromium.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"{server.url}/?tick={TICK}")
        page.wait_for_function("document.documentElement.dataset.status === 'paused'")
        page.locator("#monitor-rolling .nsewdrag").first.wait_for()
        page.wait_for_timeout(1000)
        page.screenshot(path=picture)
        chromium.close()
    print(picture)
    return 0


if __name__ == "__main__":
    sys.exit(main())
