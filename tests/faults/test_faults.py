"""A few of the faults of ``run.py``, which runs many by hand: each must end as docs/faults.md says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks, /proc and limits as Linux has them")


def test_four_kills_and_the_other_faults() -> None:
    script = Path(__file__).with_name("run.py")
    done = subprocess.run(
        [sys.executable, script, "--kills", "4", "--skip", "renames"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line.split(" | ")[0].removeprefix("| ") for line in done.stdout.splitlines()[2:]]
    assert len(rows) == 13
    assert "FAILED" not in done.stdout


def test_nothing_measures_by_the_time_of_day() -> None:
    root = Path(__file__).resolve().parent.parent.parent
    files = [path for folder in ("genurl_graph", "cli", "datasets") for path in (root / folder).rglob("*.py")]
    assert len(files) > 100
    clock = re.compile(r"\btime\.time\(|\.(now|today|utcnow)\(")
    found = [path.name for path in files if clock.search(path.read_text(encoding="utf-8"))]
    assert found == ["ogb_table.py"]  # the date of a report
