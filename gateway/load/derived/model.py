"""Learned models of derived tags: which one each follows, and whether the artefact still has it for just these tags.

Why: a model applied to other tags, or to the same in another order, would judge nonsense with confidence.
Never: guesses. A model that was not learnt yet leaves its tags BAD(incomplete), which is told; one that does not
belong is a mistake, and the site does not start.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from alerting.model.derivation import Derivation
from alerting.model.learned import Learned
from alerting.model.pca import ModelError, PcaModel, of_json
from edge.load.entry import Entry
from edge.load.mistake import show

KIND: Final = "pca"
LEARNED_KINDS: Final = (KIND, "unusual")  # What normal is, they took from history; no person wrote a limit for it.
SETTINGS: Final = ("lags", "weight", "variance", "false_share")
LEARN: Final = "Run fengsui learn with this configuration, and name its artefact in [learn]."
LONGER: Final = "Run fengsui learn again, with a longer recording of normal operation."


def check_alike(derivations: Sequence[Derivation], entries: Mapping[str, Entry]) -> None:
    """Check that the tags of one model agree on what it is."""
    first: dict[str, Derivation] = {}
    for each in _followers(derivations):
        other = first.setdefault(each.words["model"], each)
        if each.inputs != other.inputs or any(each.numbers[key] != other.numbers[key] for key in SETTINGS):
            entries[each.tag].wrong(
                "model",
                f"model {show(each.words['model'])} is not the one of {other.tag}: inputs (also their order), "
                f"{', '.join(SETTINGS)} must be the same.",
                "Give both the same, or name another model.",
            )


def join(derivations: Sequence[Derivation], learned: Learned | None, artefact: Entry, root: Entry) -> list[Derivation]:
    """Give each tag its model out of the artefact.

    Args:
        artefact: The entry of ``[learn]``, for mistakes.
        root: The site file, for warnings.
    """
    of_name = {} if learned is None else {str(model.get("name", "")): model for model in learned.models}
    joined = []
    refused: set[str] = set()
    for each in derivations:
        if each.kind != KIND or not each.words["model"]:
            joined.append(each)
            continue
        name = each.words["model"]
        if name not in of_name:
            if name not in refused:
                root.warn("derived", f"model {show(name)} was not learnt yet; {each.tag} stays BAD(incomplete).", LEARN)
            refused.add(name)
            joined.append(each)
            continue
        none: Mapping[str, str] = of_name[name].get("refused") or {}
        if none:
            if name not in refused:
                reason = none.get("en", "").rstrip(".")
                root.warn(
                    "derived",
                    f"model {show(name)} could not be learnt ({reason}); {each.tag} stays BAD(incomplete).",
                    LONGER,
                )
            refused.add(name)
            joined.append(each)
            continue
        try:
            model = _model_for(each, of_name[name])
        except ModelError as failure:
            if name not in refused:
                artefact.wrong("artefact", str(failure), LEARN)
            refused.add(name)
            continue
        joined.append(replace(each, model=model))
    return joined


def learned_tags(derivations: Sequence[Derivation]) -> frozenset[str]:
    """Name the tags that only learned detectors speak for: their own, and those computed from nothing else.

    Args:
        derivations: In an order in which each comes after its inputs.
    """
    found: set[str] = set()
    for each in derivations:
        if each.kind in LEARNED_KINDS or (each.asked and found.issuperset(each.asked)):
            found.add(each.tag)
    return frozenset(found)


def _model_for(each: Derivation, facts: Mapping[str, Any]) -> PcaModel:
    model = of_json(facts, each.inputs["tags"])
    if (model.lags, model.weight) != (int(each.numbers["lags"]), each.numbers["weight"]):
        raise ModelError(f"model {model.name!r} was learnt with other lags or another weight.")
    return model


def _followers(derivations: Sequence[Derivation]) -> list[Derivation]:
    return [each for each in derivations if each.kind == KIND and each.words["model"]]
