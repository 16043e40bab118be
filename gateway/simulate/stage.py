"""Stage: a scenario with the site that it is played on, read and checked together."""

from pathlib import Path

import numpy as np

from gateway.config import Site
from gateway.simulate.known import known_of, load_site, site_of
from simulators.plant.port import PlantKind
from simulators.scenario import Known, Scenario, read_scenario


def set_stage(path: Path) -> tuple[Scenario, Site]:
    """Read a scenario's file and load its site.

    Raises:
        ConfigError: One of them has mistakes; all of them.
    """
    sites: list[Site] = []

    def known(named: Path | None, kind: PlantKind) -> Known:
        measured = kind.make(np.random.default_rng(0)).tags
        sites.append(load_site(site_of(named, kind), kind, measured))
        return known_of(sites[-1], measured)

    return read_scenario(path, known), sites[-1]
