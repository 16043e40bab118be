"""Words for a declared stop: what a notice says when a device is taken down and when it is back.

Flow: stop -> [stop_action, stop_body] -> notice
"""

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

from alerting.model.stop import Stop, StopKind, StopState
from alerting.model.unit import HazardUnit

Action: TypeAlias = Literal["alert", "update", "cancel"]

KINDS = {StopKind.STOPPED: ("Taken out of use", "停用"), StopKind.OVERHAUL: ("Overhaul", "检修")} | {
    StopKind.TICKET: ("Special work", "特殊作业")
}
TAGS_NAMED = 5  # Of a device that is less than a unit, in the sentence; all stand in the notice.


def stop_action(stop: Stop, told: int) -> Action | None:
    """Say what a change of a stop is to who had so many notices of it; None for nothing to tell."""
    if stop.kind is StopKind.TICKET and not stop.covered:
        return None  # Nothing falls silent there, so there is nothing to explain.
    if stop.state is StopState.RUNNING:
        return "update" if told else "alert"
    if stop.state in (StopState.OVERDUE, StopState.ENDED):
        return "cancel" if told else None
    return None


def _over(stop: Stop) -> tuple[str, str]:
    en, zh = KINDS[stop.kind]
    if not stop.over_by:
        return "Monitored again at the declared end", f"申报的{zh}时间已到,恢复监测"
    return (f"{en} is over", f"{zh}结束,恢复监测") if stop.kind is StopKind.TICKET else ("Back in use", "恢复使用")


def stop_body(
    stop: Stop, unit: HazardUnit | None, now_ns: int, action: Action, iso: Callable[[int], str]
) -> dict[str, Any]:
    """Give what a notice says of a stop, beside its key, chain and site.

    Args:
        iso: Writes a receive time with the offset of the site's zone.
    """
    titles = dict(unit.title) if unit else {}
    name = {language: titles.get(language) or stop.unit for language in ("en", "zh")}
    if not stop.is_whole:
        more = len(stop.tags) - TAGS_NAMED
        listed = ", ".join(stop.tags[:TAGS_NAMED])
        name["en"] += f", {listed}" + (f" and {more} more" if more > 0 else "")
        name["zh"] += f",{listed}" + (f" 等 {len(stop.tags)} 个位号" if more > 0 else "")
    en, zh = KINDS[stop.kind]
    who = stop.over_by if action == "cancel" else stop.who
    text = (
        {
            "en": f"{_over(stop)[0]}: {name['en']}",
            "zh": f"{_over(stop)[1]}:{name['zh']}",
        }
        if action == "cancel"
        else {
            "en": f"{en}: {name['en']} until {iso(stop.ends_ns)}, reason: {stop.reason}",
            "zh": f"{zh}:{name['zh']},至 {iso(stop.ends_ns)},原因:{stop.reason}",
        }
    )
    prefix = stop.nature.prefix
    return {
        "action": action,
        "subject": "stop",
        "nature": stop.nature.value,
        "unit": {"id": stop.unit, "title": titles, "grade": unit.grade if unit else 0},
        "alarm": stop.id,
        "event": {"id": stop.id, "what": f"stop_{stop.state.value}"},
        "kind": stop.kind.value,
        "tag": "" if stop.is_whole or len(stop.tags) > 1 else stop.tags[0],
        "tags": list(stop.tags),
        "condition": "",
        "tier": "NONE",
        "state": stop.state.value,
        "suppression": "none" if action == "cancel" else "by_design",
        "value": None,
        "eu": "",
        "setpoint": None,
        "quality": "",
        "time": iso(now_ns),
        "since": iso(stop.began_ns or stop.begins_ns),
        "until": iso(stop.ends_ns),
        "ending": "returned" if action == "cancel" else "",
        "response": {},
        "received": iso(now_ns),
        "is_late": False,
        "reason": stop.note or stop.reason if action == "cancel" else stop.reason,
        "who": who,
        "permit": stop.permit,
        "text": {
            "zh": f"{prefix}{text['zh']}。{iso(now_ns)}",
            "en": f"{prefix}{text['en']}. {iso(now_ns)}",
        },
    }
