"""Disks, folders and checkpoints that fail, and two runs that want the same file."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kills import EMBED, results, same, undisturbed
from processes import Child, finish


@contextmanager
def small_disk(folder: Path, kib: int) -> Iterator[Callable[[str], None] | None]:
    """A disk of `kib` at `folder`, with a function that remounts it; None where this user may not mount one."""
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(words, capture_output=True, check=False).returncode:
        yield None
        return
    try:
        yield lambda how: subprocess.run(["mount", "-o", f"remount,{how}", str(folder)], check=True) and None
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def short_files() -> None:
    """Files of this process end at 20,000 bytes."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


def full_disk(scratch: Path) -> str:
    """The checkpoint does not fit; with more room the same command finishes."""
    folder = scratch / "full"
    with small_disk(folder, 48) as remount:
        printed = finish(EMBED, folder, None if remount else short_files, code=2)
        message = [line for line in printed.splitlines() if "cannot be written" in line]
        assert message, printed
        assert "z.npz.ckpt" in message[0]
        left = [path.name for path in folder.iterdir()]
        assert left == [], left
        if remount:
            remount("size=64m")
        finish(EMBED, folder)
        assert len(results(folder)) == 3
    how = "a disk of 48 KiB" if remount else "RLIMIT_FSIZE (a small disk needs root)"
    return f"{how}: exit code 2, the file and the reason named, no part of it left; with room the command finishes"


def read_only(scratch: Path) -> str:
    folder = scratch / "read-only"
    with small_disk(folder, 64) as remount:
        if remount:
            remount("ro")
        elif os.geteuid() == 0:
            return "skipped: root may write everywhere, and no disk could be mounted"
        else:
            folder.chmod(0o555)
        started = time.monotonic()
        printed = finish(EMBED, folder, code=2)
        assert "not writable" in printed, printed
        seconds = time.monotonic() - started
    return f"exit code 2 after {seconds:.1f} s, before any training, the folder named"


def damaged_checkpoint(scratch: Path, damage: Callable[[Path], object], what: str) -> str:
    """Interrupt a run, damage its checkpoint, resume."""
    whole, folder = undisturbed(scratch), scratch / what
    kept = folder / "z.npz.ckpt.previous"
    child = Child(EMBED, folder)
    while not kept.exists():
        assert child.running(), child.wait()
        time.sleep(0.001)
    child.kill()
    damage(folder / "z.npz.ckpt")
    printed = finish([*EMBED, "--resume"], folder)
    assert "z.npz.ckpt is damaged" in printed, printed
    assert same(results(folder), results(whole))
    return "named in a warning, the checkpoint before it is used, and the result is that of an undisturbed run"


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2] if path.exists() else b"")


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes() if path.exists() else b"x")
    content[-len(content) // 3] ^= 4
    path.write_bytes(content)


def two_damaged(scratch: Path) -> str:
    folder = scratch / "two-damaged"
    folder.mkdir()
    for name in ("z.npz.ckpt", "z.npz.ckpt.previous"):
        (folder / name).write_bytes(b"no checkpoint")
    printed = finish([*EMBED, "--resume"], folder, code=2)
    assert "z.npz.ckpt is damaged" in printed, printed
    assert "z.npz.ckpt.previous is damaged" in printed, printed
    return "exit code 2, both named, with the advice to start without --resume"


def two_runs(scratch: Path) -> str:
    folder = scratch / "two"
    words = list(EMBED)
    words[words.index(20)] = 100_000
    first = Child(words, folder)
    while not (folder / "z.npz.ckpt").exists():
        assert first.running(), first.wait()
        time.sleep(0.01)
    printed = finish(EMBED, folder, code=2)
    assert "z.npz: found another run that writes this file" in printed, printed
    assert f"process {first.pid} " in printed, printed
    assert first.running()
    first.kill()
    finish(EMBED, folder)
    return (
        "the second one ends with exit code 2 and names the file and the first one's process; after a kill -9 of the "
        "first the file is free"
    )
