"""Furnish: a simulated site's register and roster, so that a tier opens a plan and calls somebody.

Why: what a plant made of code measures is worth an alarm; who acts on it, by which plan, lies beside its site file.
"""

from pathlib import Path

from sqlalchemy import Engine

from gateway.config import Site
from gateway.demo_roster import WHO, seed_roster
from gateway.register.record import By
from gateway.register.seed import seed_register


def furnish(folder: Path, site: Site, engine: Engine, now_ns: int) -> None:
    """Enter the lists beside the site file, and people for its posts; what is there already stays.

    Args:
        folder: That of the site file.

    Raises:
        ConfigError: The lists have mistakes; all of them.
    """
    seed_register(folder, site, engine, By(who=WHO, time_ns=now_ns, reason="The demonstration's own plant"))
    seed_roster(site, engine, now_ns)
