"""What a launcher has done, in a file beside the work."""

from pathlib import Path

from genurl_graph.runtime.partitions import OneProcess, Worked
from genurl_graph.runtime.partitions.record import Recorded


def twice(part: int, by: int = 2) -> int:
    return by * part


class Two(OneProcess):
    """Pretends that two workers of different sizes have worked."""

    workers = 2

    def map(self, doing, function, parts, *shared, progress=False):  # type: ignore[no-untyped-def]
        return [Worked(p, function(p, *shared), 1.0, 0.5, (p + 1) * 10**6, f"worker {p % 2}") for p in parts]


def test_results_pass_and_stages_are_kept(tmp_path: Path) -> None:
    told: list[str] = []
    file = tmp_path / "stages.jsonl"
    first = Recorded(Two(), file, told.append)
    assert first.workers == 2
    assert [each.value for each in first.map("doubling", twice, range(5))] == [0, 2, 4, 6, 8]
    # Another run goes on with the file.
    second = Recorded(OneProcess(), file, told.append)
    assert [each.value for each in second.together("tripling", twice, 7, 3)] == [21]
    found = second.stages()
    assert (found[0].name, found[0].partitions, found[0].cpu) == ("doubling", 5, 2.5)
    assert found[0].workers == {"worker 0": 5.0, "worker 1": 4.0}
    assert found[0].peak_mb == 5.0
    assert found[1].name == "tripling"
    assert found[1].peak_mb > 0
    assert told == [stage.line() for stage in found]
    assert "5 partitions, largest worker 5 MB" in told[0]
    assert "1 partition, " in told[1]


def test_nothing_was_done_before_the_first_stage(tmp_path: Path) -> None:
    assert Recorded(OneProcess(), tmp_path / "none.jsonl", print).stages() == []
