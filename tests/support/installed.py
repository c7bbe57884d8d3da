"""Programs of other packages that a test needs: it is skipped where they are missing, and fails where it must run."""

from __future__ import annotations

import os
import shutil

import pytest

PACKAGES = {
    "prometheus": "prometheus",
    "promtool": "prometheus",
    "prometheus-node-exporter": "prometheus-node-exporter",
    "prometheus-alertmanager": "prometheus-alertmanager",
    "amtool": "prometheus-alertmanager",
}
"""Program → its Debian package."""


def demand(*programs: str) -> None:
    """Skip the test where one is missing; in CI, where ``.ci/run`` installs them, it fails."""
    missing = sorted({PACKAGES[name] for name in programs if shutil.which(name) is None})
    if not missing:
        return
    words = f"not installed: apt-get install {' '.join(missing)}"
    if os.environ.get("CI"):
        pytest.fail(words)
    pytest.skip(words)
