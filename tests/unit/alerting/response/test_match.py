"""Which plan fits: the most specific first, each with its reasons; what does not fit says why."""

from alerting.model.tier import Tier
from alerting.response.match import Scope, Situation, fits, misfit

ANY = Scope(code="any", tier=Tier.YELLOW)
RED = Scope(code="red", tier=Tier.RED)
HH = Scope(code="hh", condition="HH", tier=Tier.YELLOW)
CL2 = Scope(code="cl2", substance="7782-50-5", tier=Tier.YELLOW)
NH3 = Scope(code="nh3", substance="7664-41-7", tier=Tier.YELLOW)
UNIT = Scope(code="unit", unit="TK-1", tier=Tier.YELLOW)
BOTH = Scope(code="both", unit="TK-1", condition="HH", tier=Tier.YELLOW)
OTHER = Scope(code="other", unit="TK-2", tier=Tier.YELLOW)
EVERY = (ANY, RED, HH, CL2, NH3, UNIT, BOTH, OTHER)


def test_unit_goes_before_substance_before_condition_before_tier() -> None:
    now = Situation(unit="TK-1", tier=Tier.RED, substances={"7782-50-5": 5, "7664-41-7": 8}, conditions={"HH", "H"})
    assert [fit.scope.code for fit in fits(EVERY, now)] == ["both", "unit", "nh3", "cl2", "hh", "red", "any"]
    assert [one.en for one in fits(EVERY, now)[2].reasons] == [
        "for every unit", "the unit holds 7664-41-7, 8 t by its design maximum", "from YELLOW; the unit is RED",
    ]  # fmt: skip


def test_what_does_not_fit_says_why() -> None:
    now = Situation(unit="TK-1", tier=Tier.ORANGE, conditions={"RATE"})
    assert [fit.scope.code for fit in fits(EVERY, now)] == ["unit", "any"]
    said = {scope.code: why.en for scope in EVERY if (why := misfit(scope, now))}
    no_hh = "no alarm of the unit has the condition “HH”"
    assert said == {
        "red": "it begins at RED", "hh": no_hh, "cl2": "the unit does not hold 7782-50-5",
        "nh3": "the unit does not hold 7664-41-7", "both": no_hh, "other": "it is for unit TK-2",
    }  # fmt: skip
    assert fits(EVERY, Situation(unit="TK-1", tier=Tier.BLUE)) == []
