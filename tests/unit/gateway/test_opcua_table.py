"""What is browsed becomes a tag table that the loader takes."""

from pathlib import Path

from edge.collect.opcua.browse import Found
from edge.load import load
from gateway.cli_opcua import table_of


def test_a_browsed_table_is_taken_by_the_loader(tmp_path: Path) -> None:
    found = [
        Found(
            name="Tank.Level", node_id="nsu=urn:plant;s=Tank.Level", title="Level", eu="m", range_lo="0", range_hi="10"
        ),
        Found(name="Tank.Level", node_id="nsu=urn:plant;i=7", title="Level, again"),
    ]
    (tmp_path / "dcs.csv").write_text(table_of(found, "dcs", "zh"), "utf-8")
    (tmp_path / "site.toml").write_text(
        '[site]\nid = "p"\ntags = ["dcs.csv"]\n[[source]]\nid = "dcs"\nprotocol = "opcua"\n'
        'url = "opc.tcp://localhost:4840"\nsecurity = "none"\n',
        "utf-8",
    )
    tags = load(tmp_path / "site.toml", environ={}).tags
    assert (tags[0].name, tags[0].eu, tags[0].range_hi) == ("Tank.Level", "m", 10.0)
    assert tags.names[1] == "Tank.Level-2"
