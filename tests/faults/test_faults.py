"""A few of the faults of ``run.py``, which runs many by hand: each must end as docs/faults.md says."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks, /proc and limits as Linux has them")


def test_five_kills_and_the_other_faults() -> None:
    script = Path(__file__).with_name("run.py")
    done = subprocess.run(
        [sys.executable, script, "--kills", "5", "--skip", "renames"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line.split(" | ")[0].removeprefix("| ") for line in done.stdout.splitlines()[2:]]
    assert len(rows) == 13
    assert "FAILED" not in done.stdout
