"""Lists beside a simulated site's file go into its register once, whole or not at all, with days from then on."""

import shutil
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from edge.load.mistake import ConfigError
from gateway.config import Site
from gateway.furnish import furnish
from gateway.load import load
from gateway.register.reading import page
from gateway.register.seed import FOLDER
from gateway.store import schema
from gateway.store.engine import open_store, store_url
from gateway.system import with_system

NOON_NS = 1_781_236_800_000_000_000  # 2026-06-12T12:00 in Shanghai
SITES = [path.parent for path in (*Path("simulators/sites").glob("*/site.toml"), Path("config/demo/site.toml"))]
FURNISHED = sorted(folder for folder in SITES if (folder / FOLDER).is_dir())


def opened(tmp_path: Path, folder: Path) -> tuple[Engine, Site]:
    return open_store(store_url(tmp_path)), with_system(load(folder / "site.toml", environ={}))


def count(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(schema.record)) or 0


@pytest.mark.parametrize("folder", FURNISHED, ids=lambda path: path.name)
def test_lists_that_ship_are_right_and_go_in_once(tmp_path: Path, folder: Path) -> None:
    engine, site = opened(tmp_path, folder)
    furnish(folder, site, engine, NOON_NS)
    made = count(engine)
    rows = sum(len(page(engine.connect(), path.stem, limit=100)) for path in (folder / FOLDER).glob("*.csv"))
    furnish(folder, site, engine, NOON_NS + 86_400_000_000_000)

    assert made == rows > len(list((folder / FOLDER).glob("*.csv"))) - 1
    assert count(engine) == made
    engine.dispose()


def test_days_are_counted_from_the_day_on_which_they_go_in(tmp_path: Path) -> None:
    folder = Path("simulators/sites/ammonia-yard")
    engine, site = opened(tmp_path, folder)
    furnish(folder, site, engine, NOON_NS)
    with engine.connect() as connection:
        (dossier,) = page(connection, "units", limit=2)
    engine.dispose()

    assert dossier.values["counted_on"] == "2026-02-12", "{today-120}"


def test_a_wrong_list_is_refused_with_all_mistakes_and_nothing_goes_in(tmp_path: Path) -> None:
    folder = tmp_path / "yard"
    shutil.copytree("simulators/sites/ammonia-yard", folder)
    for name, right, wrong in (("surroundings", "居民区,北", "月球,北"), ("plans", "post:control-room", "post:nobody")):
        path = folder / FOLDER / f"{name}.csv"
        path.write_text(path.read_text(encoding="utf-8").replace(right, wrong), encoding="utf-8")
    engine, site = opened(tmp_path, folder)
    with pytest.raises(ConfigError) as refused:
        furnish(folder, site, engine, NOON_NS)

    told = {(Path(each.file).name, each.line) for each in refused.value.mistakes}
    assert ("surroundings.csv", 2) in told
    assert {line for name, line in told if name == "plans.csv"} > {2}, "each plan with its line"
    assert all(each.remedy for each in refused.value.mistakes)
    assert count(engine) == 0
    engine.dispose()
