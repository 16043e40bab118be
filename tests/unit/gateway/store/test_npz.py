"""Columns written at once read back by numpy and by another program's zip, bit by bit."""

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from gateway.store import npz
from gateway.store.npz import pack_npz

COLUMNS = {
    "value": np.array([1.5, np.nan, -0.0, 1e308]),
    "wide": np.arange(12, dtype=np.int64).reshape(3, 4)[:, ::2],
    "column_major": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "names": np.array(["TK-101.液位", "b"], dtype=np.str_),
    "flags": np.array([True, False]),
    "none": np.empty((0, 13)),
    "derived.exposure.\u503c": np.zeros(1, dtype=np.uint8),
}


def test_numpy_reads_what_was_written() -> None:
    with np.load(io.BytesIO(pack_npz(COLUMNS)), allow_pickle=False) as found:
        assert list(found) == list(COLUMNS)
        for name, column in COLUMNS.items():
            assert found[name].dtype == column.dtype
            assert found[name].shape == column.shape
            assert found[name].tobytes() == column.tobytes(), name


def test_other_programs_find_no_fault_in_the_archive(tmp_path: Path) -> None:
    """Python's own zip checks each sum; so does the command line of the same library on a file."""
    path = tmp_path / "columns.npz"
    path.write_bytes(pack_npz(COLUMNS))
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [f"{name}.npy" for name in COLUMNS]
    listed = subprocess.run(
        [sys.executable, "-m", "zipfile", "-t", str(path)], capture_output=True, text=True, check=True
    )
    assert "Done testing" in listed.stdout


def test_the_same_columns_are_the_same_bytes() -> None:
    assert pack_npz(COLUMNS) == pack_npz({name: column.copy() for name, column in COLUMNS.items()})


def test_what_is_too_large_for_a_plain_zip_is_written_by_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(npz, "BYTES_MAX", 100)
    with np.load(io.BytesIO(pack_npz(COLUMNS)), allow_pickle=False) as found:
        assert found["value"].tobytes() == COLUMNS["value"].tobytes()
