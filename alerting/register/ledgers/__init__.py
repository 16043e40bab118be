"""The ledgers of the hazard register, one file each."""

from typing import Final

from alerting.register.ledger import Ledger
from alerting.register.ledgers.analyses import HAZOP, JHA, SCL
from alerting.register.ledgers.campaigns import CAMPAIGNS, GRID_CELLS
from alerting.register.ledgers.commitments import COMMITMENTS
from alerting.register.ledgers.contacts import CONTACTS
from alerting.register.ledgers.control_measures import CONTROL_MEASURES
from alerting.register.ledgers.crowd_zones import CROWD_ZONES
from alerting.register.ledgers.documents import DOCUMENTS
from alerting.register.ledgers.enterprises import ENTERPRISES
from alerting.register.ledgers.equipment import EQUIPMENT
from alerting.register.ledgers.exposure import EXPOSURE_POINTS, EXPOSURE_SAMPLES
from alerting.register.ledgers.gas_tests import GAS_TESTS
from alerting.register.ledgers.hazard_copies import HAZARD_COPIES
from alerting.register.ledgers.hidden_hazards import HIDDEN_HAZARDS
from alerting.register.ledgers.holdings import HOLDINGS
from alerting.register.ledgers.inspections import CHECKS, INSPECTIONS
from alerting.register.ledgers.instruments import INSTRUMENTS
from alerting.register.ledgers.large_events import LARGE_EVENTS
from alerting.register.ledgers.lessons import LESSONS
from alerting.register.ledgers.monthly import MONTHLY
from alerting.register.ledgers.plans import PLANS, POST_CARDS
from alerting.register.ledgers.resources import RESOURCES
from alerting.register.ledgers.risk_events import RISK_EVENTS
from alerting.register.ledgers.risk_units import RISK_UNITS
from alerting.register.ledgers.routines import ROUTINES
from alerting.register.ledgers.surroundings import SURROUNDINGS
from alerting.register.ledgers.tickets import TICKETS
from alerting.register.ledgers.tips import TIPS
from alerting.register.ledgers.units import UNITS

#: In the order in which a site is entered: what others refer to comes first.
LEDGERS: Final[dict[str, Ledger]] = {
    ledger.id: ledger
    for ledger in (
        *(
            CONTACTS,
            GRID_CELLS,
            ENTERPRISES,
            UNITS,
            SURROUNDINGS,
            HOLDINGS,
            EQUIPMENT,
            INSTRUMENTS,
            DOCUMENTS,
            CROWD_ZONES,
        ),
        *(LARGE_EVENTS, EXPOSURE_POINTS, EXPOSURE_SAMPLES),
        *(RISK_UNITS, RISK_EVENTS, CONTROL_MEASURES, HAZOP, JHA, SCL),
        *(CAMPAIGNS, INSPECTIONS, CHECKS, HIDDEN_HAZARDS, HAZARD_COPIES, TIPS, ROUTINES, TICKETS, GAS_TESTS),
        *(COMMITMENTS, MONTHLY),
        *(PLANS, POST_CARDS, LESSONS, RESOURCES),
    )
}
