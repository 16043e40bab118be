"""``fengsui bench``: what the product measures of itself. Imports are lazy, as in ``gateway.cli``."""

import json
from pathlib import Path
from typing import Annotated

import typer

benches = typer.Typer(help="What the product measures of itself.", no_args_is_help=True)

FINDING, WRONG = 1, 2


@benches.command("conformance")
def conformance(
    data: Annotated[Path, typer.Option("--data", help="Folder with files of published vectors, *_vectors.json.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Hold our codecs against published vectors; exit 1 where one disagrees."""
    from gateway.bench.conformance import as_facts, check_folder, render

    try:
        found = check_folder(data)
    except (OSError, ValueError) as failure:
        typer.echo(str(failure), err=True)
        raise typer.Exit(WRONG) from None
    if not any(one.has_codec for one in found):
        typer.echo(f"--data: {data} holds no vectors that a codec of ours reads, e.g. modbus_vectors.json.", err=True)
        raise typer.Exit(WRONG)
    facts = as_facts(found)
    typer.echo(json.dumps(facts, ensure_ascii=False) if as_json else render(found))
    raise typer.Exit(0 if facts["ok"] else FINDING)


@benches.command("decode")
def decode(
    seconds: Annotated[float, typer.Option("--seconds", min=0.1, max=600, help="Of each way, at least.")] = 2.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Registers to values: ours, a plain loop over values and pymodbus' converter, on the same words in one run."""
    from gateway.bench.modbus.decode import measure, render

    result = measure(seconds)
    typer.echo(json.dumps(result, allow_nan=False) if as_json else render(result))


@benches.command("modbus")
def modbus(
    seconds: Annotated[float, typer.Option("--seconds", min=1, max=3600, help="Of each case.")] = 10.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Poll simulated devices in another process: as fast as it goes, beside plainer clients; and plants on time."""
    from gateway.bench.modbus.poll import measure, render

    result = measure(seconds)
    typer.echo(json.dumps(result, allow_nan=False) if as_json else render(result))


@benches.command("devices")
def devices(
    tags: Annotated[int, typer.Option("--tags", min=100, max=100_000, help="Modbus tags, float32, at 1 s.")] = 10_000,
    seconds: Annotated[float, typer.Option("--seconds", min=2, max=3600, help="After all settled.")] = 10.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Serve tags from one simulator process and read each once a second; the books of both sides; exit 1 if unlike."""
    from gateway.bench.devices import TAGS_EACH, measure, render
    from simulators.ports import free_ports

    result = measure(tags, seconds, free_ports(-(-tags // TAGS_EACH)))
    typer.echo(json.dumps(result, allow_nan=False) if as_json else render(result))
    raise typer.Exit(FINDING if result["unanswered"] or result["bad"] else 0)


@benches.command("mqtt")
def mqtt(
    messages: Annotated[int, typer.Option("--messages", min=100, max=5_000_000, help="Of one value each.")] = 50_000,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Drain a real mosquitto: single values and batches, beside paho's callback alone and a plain loop."""
    from gateway.bench.mqtt.drain import NoBrokerError, measure, render

    try:
        result = measure(messages)
    except NoBrokerError as failure:
        typer.echo(str(failure), err=True)
        raise typer.Exit(WRONG) from None
    typer.echo(json.dumps(result, allow_nan=False) if as_json else render(result))


@benches.command("alarms")
def alarms(
    tags: Annotated[int, typer.Option("--tags", min=100, max=1_000_000, help="Of the plant.")] = 100_000,
    units: Annotated[int, typer.Option("--units", min=1, max=100_000, help="Hazard units, a source each.")] = 1_000,
    seconds: Annotated[int, typer.Option("--seconds", min=1, max=600, help="In which the flood comes.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Flood a whole gateway: 5 % ORANGE, 1 % RED; registered, told, listed; exit 1 where it is not as asked for."""
    from gateway.bench.alarms import measure, render

    result = measure(tags, units, seconds)
    typer.echo(json.dumps(result) if as_json else render(result))
    raise typer.Exit(0 if result["ok"] else FINDING)


@benches.command("response")
def response(
    units: Annotated[int, typer.Option("--units", min=2, max=10_000, help="Hazard units, a source each.")] = 1_000,
    alone: Annotated[int, typer.Option("--alone", min=1, max=1_000, help="Of these, how many rise alone.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Let units rise; how soon a door shows the incident, how long a zone takes; exit 1 where it is not met."""
    from gateway.bench.response import measure, render

    if alone >= units:
        typer.echo(f"--alone: {alone} of {units} units leave none for the flood; give fewer.", err=True)
        raise typer.Exit(WRONG)
    result = measure(units, alone)
    typer.echo(json.dumps(result) if as_json else render(result))
    raise typer.Exit(0 if result["ok"] else FINDING)


@benches.command("core")
def bench_core(
    tags: Annotated[
        list[int] | None, typer.Option("--tags", help="Size of plant; may be given more than once.", min=100)
    ] = None,
    scans: Annotated[int, typer.Option("--scans", help="Scans of the allocation case.", min=1)] = 100_000,
    start: Annotated[bool, typer.Option(help="Measure the start too; a cold one compiles everything anew.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure road, core, start and baselines in one run: nanoseconds a sample, with the books of what was carried."""
    from gateway.bench.core.run import TAGS, line, measure

    rows = []
    for row in measure(tags or TAGS, scans, start=start):
        rows.append(row)
        typer.echo(line(row), err=as_json)
    if as_json:
        typer.echo(json.dumps(rows, indent=2))


@benches.command("quality")
def quality(
    data: Annotated[
        Path, typer.Option("--data", help="Folder with the collections, one folder each: docs/performance.md.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Score our warnings and the usual detectors on labelled recordings; exit 1 where another is better than ours."""
    from gateway.backtest.progress import shown
    from gateway.bench.quality.run import OURS, bench, table
    from gateway.recording import RecordingError

    if not data.is_dir():
        typer.echo(f"--data: {data} is no folder; give the one that holds skab, nab, tep, batadal …", err=True)
        raise typer.Exit(WRONG)
    try:
        with shown() as progress:
            result = bench(data, progress)
    except (RecordingError, OSError) as failure:
        typer.echo(str(failure), err=True)
        raise typer.Exit(WRONG) from None
    if not result["collections"]:
        typer.echo(f"--data: {data} holds none of {', '.join(result['absent'])}.", err=True)
        raise typer.Exit(WRONG)
    typer.echo(json.dumps(result, ensure_ascii=False, allow_nan=False) if as_json else table(result))
    raise typer.Exit(0 if all(one["best"] == OURS for one in result["collections"]) else FINDING)


@benches.command("zones")
def zones(
    data: Annotated[Path, typer.Option("--data", help="Endpoint distances of another model, e.g. slabx.csv.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Consequence zones: ratio of our distances to another model's, and how long one and fifty cases take."""
    from gateway.bench.zones import as_facts, compare, render, time_it

    try:
        rows = compare(data)
    except (OSError, KeyError, ValueError) as failure:
        typer.echo(f"--data: {data} holds no endpoint distances: {failure}", err=True)
        raise typer.Exit(WRONG) from None
    taken = time_it()
    typer.echo(json.dumps(as_facts(rows, taken), ensure_ascii=False) if as_json else render(rows, taken))
