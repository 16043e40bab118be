"""``fengsui bench``: conformance names a wrong vector and a strange file; figures stand beside plainer ways."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.cli import app
from tests.conftest import find_program

READ = {
    "fc": 3,
    "name": "read holding registers 108-110",
    "request_pdu": "03006b0003",
    "response_pdu": "0306022b00000064",
    "request_rtu_unit17": "1103006b00037687",
    "request_tcp_tid1_unit17": "0001000000061103006b0003",
    "response_rtu_unit17": "110306022b00000064c8ba",
    "response_tcp_tid1_unit17": "000100000009110306022b00000064",
}
WRITE = {
    "fc": 6,
    "name": "write register 2 = 3",
    "request_pdu": "0600010003",
    "response_pdu": "0600010003",
    "request_rtu_unit17": "1106000100039a9b",
    "request_tcp_tid1_unit17": "000100000006110600010003",
    "response_rtu_unit17": "1106000100039a9b",
    "response_tcp_tid1_unit17": "000100000006110600010003",
}
VECTORS = {
    "examples": [READ, WRITE],
    "crc16": [{"data": "0207", "crc_le": "4112"}],
    "float_orders": {
        "value": 123456.0, "ABCD": ["47f1", "2000"], "CDAB": ["2000", "47f1"], "BADC": ["f147", "0020"],
        "DCBA": ["0020", "f147"],
    },
    "word_orders": [
        {"type": "int32", "value": -2, "nan": False, "big_endian_ABCD": ["ffff", "fffe"],
         "word_swapped_CDAB": ["fffe", "ffff"], "byte_swapped_BADC": ["ffff", "feff"],
         "little_endian_DCBA": ["feff", "ffff"]},
    ],
}  # fmt: skip


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["bench", *arguments])
    return result.exit_code, result.output


def folder(path: Path, **files: object) -> str:
    for name, content in files.items():
        (path / f"{name}_vectors.json").write_text(json.dumps(content), "utf-8")
    return str(path)


def test_vectors_that_hold_are_counted(tmp_path: Path) -> None:
    code, said = run("conformance", "--data", folder(tmp_path, modbus=VECTORS, other={}), "--json")
    facts: dict[str, Any] = json.loads(said)
    assert code == 0
    assert (facts["ok"], facts["held"], facts["failed"]) == (True, 11, 0)
    assert [one["has_codec"] for one in facts["files"]] == [True, False]


def test_vectors_that_do_not_are_named(tmp_path: Path) -> None:
    wrong = json.loads(json.dumps(VECTORS))
    wrong["crc16"][0]["crc_le"] = "1241"
    wrong["float_orders"]["CDAB"] = ["47f1", "2000"]
    wrong["examples"][0]["response_rtu_unit17"] = "120306022b00000064fb46"
    code, said = run("conformance", "--data", folder(tmp_path, modbus=wrong))
    assert code == 1
    assert "8 hold" in said
    assert "3 fail" in said
    assert "crc: 0207: we make 4112" in said
    assert "order: float32 CDAB" in said
    assert "rtu answer" in said


#: HJ 212-2017, appendix A; and two segments of appendix C, the second printed without its end.
HJ212: dict[str, Any] = {
    "frames": [
        {"frame": "##0101QN=20160801085857223;ST=32;CN=1062;PW=100000;MN=010000A8900016F000169DC0;Flag=5;"
                  "CP=&&RtdInterval=30&&1C80\r\n",
         "source": "appendix A", "len_ok": True, "crc_ok": True, "computed_crc": "1C80"},
    ],
    "appendix_C": [
        {"table": "C.1", "title": "", "complete": True, "QN": "20160801085857223", "ST": "91", "CN": "9011",
         "PW": "123456", "MN": "010000A8900016F000169DC0", "Flag": "4",
         "data_segment": "QN=20160801085857223;ST=91;CN=9011;PW=123456;MN=010000A8900016F000169DC0;Flag=4;"
                         "CP=&&QnRtn=1&&",
         "derived_frame": "##0094QN=20160801085857223;ST=91;CN=9011;PW=123456;MN=010000A8900016F000169DC0;Flag=4;"
                          "CP=&&QnRtn=1&&1B00\r\n"},
        {"table": "C.14", "title": "", "complete": False, "data_segment": "QN=1;…&&"},
    ],
}  # fmt: skip
#: RFC 8428, 5.1.2.
SENML: dict[str, Any] = {
    "vectors": [
        {"name": "5.1.2", "pack": [{"bn": "urn:x:", "bt": 1276020076.001, "bu": "A", "bver": 5, "n": "v", "v": 120.1},
                                   {"n": "c", "t": -5, "v": 1.2}],
         "resolved": [{"n": "urn:x:v", "v": 120.1, "t": 1276020076.001},
                      {"n": "urn:x:c", "v": 1.2, "t": 1276020071.001}]},
        {"name": "5.1.1", "pack": [{"n": "x", "v": 1}], "resolved": [{"n": "x", "v": 1, "t": 0}]},
    ],
    "must_reject": [{"why": "no name", "pack": [{"v": 1}]}],
}  # fmt: skip


def test_vectors_of_payloads_hold_and_wrong_ones_are_named(tmp_path: Path) -> None:
    code, said = run("conformance", "--data", folder(tmp_path, hj212=HJ212, senml=SENML), "--json")
    facts: dict[str, Any] = json.loads(said)
    assert (code, facts["held"], facts["failed"]) == (0, 6, 0), facts
    wrong, strange = json.loads(json.dumps(HJ212)), json.loads(json.dumps(SENML))
    wrong["frames"][0]["computed_crc"] = "1C08"  # The standard's own misprint.
    wrong["appendix_C"][0]["MN"] = "another"
    strange["vectors"][0]["resolved"][1]["t"] = 1276020081.001
    strange["must_reject"].append({"why": "nothing wrong", "pack": [{"n": "x", "v": 1}]})
    code, said = run("conformance", "--data", folder(tmp_path, hj212=wrong, senml=strange))
    assert code == 1
    for fault in (
        "crc: appendix A: we make 1C80",
        "segment: C.1",
        "pack: 5.1.2: we read the time",
        "never: nothing wrong",
    ):
        assert fault in said


@pytest.mark.parametrize("content", [{"examples": 3}, {}, [1], None])
def test_a_strange_file_is_told(tmp_path: Path, content: object) -> None:
    (tmp_path / "modbus_vectors.json").write_text("{" if content is None else json.dumps(content), "utf-8")
    assert run("conformance", "--data", str(tmp_path))[0] == 2


def test_a_folder_without_vectors_is_told(tmp_path: Path) -> None:
    code, said = run("conformance", "--data", str(tmp_path))
    assert code == 2
    assert "holds no vectors" in said


def test_decoding_stands_beside_a_plain_loop_and_a_library() -> None:
    code, said = run("decode", "--seconds", "0.3", "--json")
    facts = json.loads(said)
    assert code == 0
    assert facts["values_per_second"] > 0
    assert facts["p50_us"] <= facts["p99_us"]
    assert facts["ratio"] > 3, "a third of the claim"
    assert facts["ratio_pymodbus"] > 10, "a third of the claim"
    assert "times the plain loop" in run("decode", "--seconds", "0.1")[1]


@pytest.mark.network
@pytest.mark.slow
@pytest.mark.long
def test_polling_stands_beside_plainer_clients_and_whole_plants_are_read() -> None:
    code, said = run("modbus", "--seconds", "1", "--json")
    facts = json.loads(said)
    assert code == 0
    assert len(facts["ways"]) == 3
    assert facts["ratio"]["pymodbus, its own converter"] > 0.8, "a third of the claim"
    for plant in facts["plants"]:
        assert plant["bad"] == 0
        assert 61 < plant["requests_per_cycle"] < 63
        assert plant["samples_per_second"] > 0
        assert plant["simulator_cpu_percent"] > 0


@pytest.mark.network
@pytest.mark.service
def test_a_real_broker_is_drained_by_all_ways_of_all_it_kept(need_mosquitto: str) -> None:
    code, said = run("mqtt", "--messages", "2000", "--json")
    assert code == 0, said
    result = json.loads(said)
    assert result["messages_per_second"] > 0
    for case in result["cases"].values():
        assert len(case["ways"]) == 3
        for told in case["ways"].values():
            assert told["values_per_second"] == pytest.approx(told["messages_per_second"] * case["values_each"])
    assert [case["messages"] for case in result["cases"].values()] == [2000, 200, 200]


@pytest.fixture
def need_mosquitto() -> str:
    program = find_program("mosquitto")
    if program is None:
        pytest.skip("mosquitto is not installed on this machine")
    return program
