"""Which backend judges, and that a site judges while the compiler works or fails."""

import asyncio
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from alerting.core.backend import Backend
from alerting.model.rule import Kind
from edge.clock_system import SystemClock
from edge.config import Source
from gateway.app import Gateway
from gateway.kernels import TAGS_MIN, UnknownBackendError, choose
from tests.scripted import small_site
from tests.time_matrix import rule_table
from tests.trouble import by_source, gateway_of

ROOT = Path(__file__).resolve().parents[3]


def test_the_backend_follows_the_size_of_the_site_unless_it_is_named() -> None:
    assert choose({}, TAGS_MIN - 1) is Backend.NUMPY
    assert choose({}, TAGS_MIN) is Backend.COMPILED
    assert choose({"FENGSUI_BACKEND": "numpy"}, 10 * TAGS_MIN) is Backend.NUMPY
    assert choose({"FENGSUI_BACKEND": "numba"}, 1) is Backend.COMPILED
    with pytest.raises(UnknownBackendError, match="it is numpy or numba"):
        choose({"FENGSUI_BACKEND": "cuda"}, 1)


def gateway(tmp_path: Path, warm: object) -> Gateway:
    source = Source(id="plc", protocol="modbus-tcp")
    return gateway_of(small_site(rule_table(Kind.H), source, tmp_path), SystemClock(), by_source([]), warm=warm)


async def until(condition: object) -> None:
    async with asyncio.timeout(60):
        while not condition():  # type: ignore[operator]  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_ready_waits_for_the_kernels_and_judging_does_not(tmp_path: Path) -> None:
    is_compiled = threading.Event()
    house = gateway(tmp_path, is_compiled.wait)
    async with house.running():
        await until(lambda: house.road.is_ready)
        assert not house.ready()
        assert house.desk.backend is Backend.NUMPY
        is_compiled.set()
        await until(house.ready)
        assert house.desk.backend is Backend.COMPILED


async def test_a_compiler_that_fails_costs_speed_only(tmp_path: Path) -> None:
    def fail() -> None:
        raise OSError("no space left for the cache")

    house = gateway(tmp_path, fail)
    async with house.running():
        await until(house.ready)
        assert house.desk.backend is Backend.NUMPY


def test_the_cache_stands_in_the_data_folder_and_is_read_again(tmp_path: Path) -> None:
    code = """
from pathlib import Path
from gateway.kernels import warm
import sys
warm(Path(sys.argv[1]))
from alerting.core.kernel_samples import take_samples
print(sum(take_samples.stats.cache_hits.values()), sum(take_samples.stats.cache_misses.values()))
"""
    told = [
        subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)],
            env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=ROOT, capture_output=True, text=True, check=True,
        ).stdout.split()
        for _ in range(2)
    ]  # fmt: skip
    assert told == [["1", "0"], ["1", "0"]], "compiled in a process of its own, and read from there"
    assert (tmp_path / "kernels").stat().st_mode & 0o777 == 0o700
