"""The servers that tests ask for are real: an independent client talks to each, before and after a restart."""

import subprocess
import urllib.request

import pytest

from tests.conftest import Server, need_program


def publish(server: Server, payload: str) -> None:
    program = need_program("mosquitto_pub")
    arguments = [
        program,
        "-h",
        server.host,
        "-p",
        str(server.port),
        "-t",
        "setup/probe",
        "-q",
        "1",
        "-r",
        "-m",
        payload,
    ]
    subprocess.run(arguments, check=True, timeout=10)


def subscribe(server: Server) -> str:
    program = need_program("mosquitto_sub")
    arguments = [program, "-h", server.host, "-p", str(server.port), "-t", "setup/probe", "-C", "1", "-W", "5"]
    return subprocess.run(arguments, check=True, timeout=10, capture_output=True, text=True).stdout.strip()


@pytest.mark.service
def test_broker_keeps_a_retained_message_over_a_restart(mosquitto_alone: Server) -> None:
    publish(mosquitto_alone, "42")
    assert subscribe(mosquitto_alone) == "42"
    mosquitto_alone.stop()
    mosquitto_alone.start()
    assert subscribe(mosquitto_alone) == "42"


@pytest.mark.service
def test_shared_broker_listens_on_loopback(mosquitto: Server) -> None:
    publish(mosquitto, "7")
    assert subscribe(mosquitto) == "7"


@pytest.mark.service
def test_time_series_server_gives_back_what_was_written(victoria_metrics: Server) -> None:
    line = b"setup,tag=probe value=1.5 1700000000000000000"
    write = urllib.request.Request(f"{victoria_metrics.url}/api/v2/write?precision=ns", data=line, method="POST")
    with urllib.request.urlopen(write, timeout=10) as answer:
        assert answer.status == 204
    with urllib.request.urlopen(f"{victoria_metrics.url}/internal/force_flush", timeout=10) as answer:
        assert answer.status == 200
    export = f"{victoria_metrics.url}/api/v1/export?match[]=setup_value"
    with urllib.request.urlopen(export, timeout=10) as answer:
        assert b'"values":[1.5]' in answer.read()


@pytest.mark.browser
def test_chromium_renders_chinese(chromium: str) -> None:
    page = "data:text/html;charset=utf-8,<title>烽燧</title>"
    arguments = [chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--dump-dom", page]
    assert "烽燧" in subprocess.run(arguments, check=True, timeout=60, capture_output=True, text=True).stdout
