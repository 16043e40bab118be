"""Alarm philosophy: what a site lays down about how its alarms are handled (the word is ISA-18.2's).

Why: the desk goes by it, a recording holds it and a reload swaps it as one thing.
"""

from dataclasses import dataclass, field

from alerting.model.absence import Absence
from alerting.model.by_design import DesignSuppression
from alerting.model.disposal import DisposalPolicy
from alerting.model.flood import FloodPolicy
from alerting.model.realarm import Realarm
from alerting.model.second_person import SecondPerson
from alerting.model.shelving import Shelving
from alerting.model.stop import StopPolicy
from alerting.model.ticket_cover import TicketSuppression


@dataclass(frozen=True, slots=True, kw_only=True)
class Philosophy:
    """How alarms are handled."""

    shelving: Shelving = field(default_factory=Shelving)
    absence: Absence = field(default_factory=Absence)
    realarm: Realarm = field(default_factory=Realarm)
    second: SecondPerson = field(default_factory=SecondPerson)
    flood: FloodPolicy = field(default_factory=FloodPolicy)
    stop: StopPolicy = field(default_factory=StopPolicy)
    disposal: DisposalPolicy = field(default_factory=DisposalPolicy)
    suppressions: tuple[DesignSuppression, ...] = ()
    tickets: tuple[TicketSuppression, ...] = ()
