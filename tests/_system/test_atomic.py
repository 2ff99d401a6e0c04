from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from skvision._system.atomic import written_whole


def test_the_file_appears_at_the_end(tmp_path):
    path = tmp_path / "a.bin"
    with written_whole(path) as temporary:
        temporary.write_bytes(b"new")
        assert not path.exists()
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["a.bin"]


def test_an_error_leaves_the_earlier_file(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), written_whole(path) as temporary:
        temporary.write_bytes(b"%d" % (1 // 0))
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.bin"]


def test_a_killed_process_leaves_the_earlier_file(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    code = (
        "import os, sys\n"
        "from skvision._system.atomic import written_whole\n"
        "with written_whole(sys.argv[1]) as temporary:\n"
        "    temporary.write_bytes(b'half')\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    run = subprocess.run([sys.executable, "-c", code, str(path)])
    assert run.returncode == -9
    assert path.read_bytes() == b"old"


def test_a_full_disk_names_the_file_and_leaves_the_earlier_one(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    code = (
        "import resource, signal, sys\n"
        "from skvision._system.atomic import written_whole\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try:\n"
        "    with written_whole(sys.argv[1]) as temporary:\n"
        "        temporary.write_bytes(bytes(5000))\n"
        "except OSError as error:\n"
        "    print(error)\n"
    )
    run = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True)
    todo = "Make room on the disk, or pass another folder to write to."
    assert run.stdout.strip() == f"{path} can't be written: File too large. {todo}"
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.bin"]


def test_it_has_the_permissions_of_any_new_file(tmp_path):
    with written_whole(tmp_path / "a.bin"):
        pass
    (tmp_path / "b.bin").touch()
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("a.bin", "b.bin")}
    assert len(modes) == 1


def test_threads_do_not_change_the_umask(tmp_path):
    def write(number):
        with written_whole(tmp_path / str(number % 8)) as temporary:
            temporary.write_text("x")

    before = os.umask(0o027)
    try:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(write, range(400)))
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o640}


def test_a_folder_that_cannot_be_written_is_found_immediately(tmp_path):
    with (
        pytest.raises(FileNotFoundError, match="There is no folder"),
        written_whole(tmp_path / "nowhere" / "a.bin"),
    ):
        pass
    with pytest.raises(IsADirectoryError, match="is a folder"), written_whole(tmp_path):
        pass


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS, errno.EPERM])
def test_a_read_only_folder_is_named_without_the_temporary_file(tmp_path, monkeypatch, code):
    def refuse(**_):
        raise OSError(code, os.strerror(code), str(tmp_path / ".a.part"))

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    said = f"^{tmp_path} can't be written: {os.strerror(code)}. Pass another folder"
    with pytest.raises(OSError, match=said), written_whole(tmp_path / "a.bin"):
        pass


def test_an_error_of_another_file_stays_as_it_is(tmp_path):
    with (
        pytest.raises(FileNotFoundError, match=r"^\[Errno 2\].*'nowhere'"),
        written_whole(tmp_path / "a.bin"),
    ):
        os.stat("nowhere")
