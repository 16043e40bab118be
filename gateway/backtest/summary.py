"""The few lines that a terminal shows of a backtest."""

from collections.abc import Sequence
from typing import Any

RULES_SHOWN = 20
ADVICE_SHOWN = 20


def summary(result: dict[str, Any]) -> str:
    """Give a result as text."""
    load, found = result["load"], result["detection"]
    tags = result["tags"] - len(result["tags_without_samples"])
    span = f"{result['days']:.2f} days from {result['from'][:19]}Z"
    rates = f"{_n(load['per_day'])} a day · {_n(load['per_10_min'])} per 10 min, at most {load['peak_10_min']}"
    lines = [
        f"{result['recording']}: {span}, {result['samples']:,} samples of {tags} tags.",
        f"Alarms: {load['alarms']} · {rates} · {load['floods']} floods · ten most frequent {load['top_share']:.0%}",
    ]
    if found["windows"]:
        lines.append(
            f"Labels: {found['detected']} of {found['windows']} detected, delay {_n(found['delay_s_median'])} s in the "
            f"median, {_n(found['delay_s_worst'])} s at worst; outside of them {_n(found['false_alarms_per_day'])} "
            "alarms a day."
        )
    missed = [each for each in result["targets"] if each["is_met"] is False]
    lines += [
        f"Target missed: {each['figure']} {_n(each['value'])}, should be {'below' if each['is_strict'] else 'at most'} "
        f"{_n(each['target'])} ({each['source']})"
        for each in missed
    ]
    ringing = sorted((each for each in result["rules"] if each["alarms"]), key=lambda each: -each["alarms"])
    if ringing:
        lines.append(
            f"{'rule':40} {'alarms':>8} {'false':>8} {'chatter':>8} {'in alarm':>9} {'missed':>7} {'delay s':>8}"
        )
    lines += [
        f"{each['rule']:40} {each['alarms']:8} {each['false_alarms']:8} {each['chattering']:8} "
        f"{_share(each['time_in_alarm_share']):>9} {each['missed']:7} {_n(each['delay_s_median']):>8}"
        for each in ringing[:RULES_SHOWN]
    ]
    if len(ringing) > RULES_SHOWN:
        lines.append(f"… and {len(ringing) - RULES_SHOWN} more rules; --json lists all.")
    return "\n".join([*lines, *_advice(result)])


def comparison(results: Sequence[dict[str, Any]], difference: dict[str, Any]) -> str:
    """Give what differs between two results as text: figures, then the rules that changed or say something else."""
    one, other = results
    found = [(result["load"], result["detection"]) for result in results]
    pairs = {
        "alarms": [load["alarms"] for load, _ in found],
        "alarms a day": [load["per_day"] for load, _ in found],
        "most in 10 min": [load["peak_10_min"] for load, _ in found],
        "floods": [load["floods"] for load, _ in found],
    }
    if one["detection"]["windows"]:
        pairs |= {
            "labels detected": [detection["detected"] for _, detection in found],
            "median delay s": [detection["delay_s_median"] for _, detection in found],
            "false alarms a day": [detection["false_alarms_per_day"] for _, detection in found],
        }
    lines = [f"Second configuration ({other['revision']}) beside the first ({one['revision']}):"]
    lines += [f"  {name}: {_n(was)} → {_n(now)}" for name, (was, now) in pairs.items()]
    changed = difference["rules"]
    if changed:
        lines.append(f"{'rule that differs':40} {'alarms':>8} {'false':>8} {'missed':>7} {'delay s':>8}  settings")
    for each in changed[:RULES_SHOWN]:
        settings = "; ".join(f"{name} {_told(was)} → {_told(now)}" for name, (was, now) in each["settings"].items())
        figures = [_signed(each[name]) for name in ("alarms", "false_alarms", "missed", "delay_s_median")]
        lines.append(f"{each['rule']:40} {figures[0]:>8} {figures[1]:>8} {figures[2]:>7} {figures[3]:>8}  {settings}")
    if len(changed) > RULES_SHOWN:
        lines.append(f"… and {len(changed) - RULES_SHOWN} more rules; --json lists all.")
    for words, names in (("first", difference["rules_only_first"]), ("second", difference["rules_only_second"])):
        if names:
            more = f" and {len(names) - RULES_SHOWN} more" if len(names) > RULES_SHOWN else ""
            lines.append(f"Only in the {words}: {', '.join(names[:RULES_SHOWN])}{more}")
    if not (changed or difference["rules_only_first"] or difference["rules_only_second"]):
        lines.append("On this recording no rule says anything else.")
    return "\n".join(lines)


def _advice(result: dict[str, Any]) -> list[str]:
    advice = result.get("advice") or []
    lines = [f"Advice (ours, never applied by itself): {len(advice)}"] if advice else []
    if result.get("advice_applied"):
        load, found = result["advice_applied"]["load"], result["advice_applied"]["detection"]
        detected = f", {found['detected']} of {found['windows']} labels detected" if found["windows"] else ""
        lines.append(f"With all of it, measured: alarms {result['load']['alarms']} → {load['alarms']}{detected}")
    for each in advice[:ADVICE_SHOWN]:
        change = "" if each["proposed"] is None else f" {_n(each['now'])} → {_n(each['proposed'])} {each['eu']}"
        expected = (
            "" if each["alarms_expected"] is None else f", alarms {each['alarms_now']} → {each['alarms_expected']}"
        )
        lines.append(f"  {each['rule']} {each['field']}{change}{expected}: {each['reason']['en']}")
    if len(advice) > ADVICE_SHOWN:
        lines.append(f"  … and {len(advice) - ADVICE_SHOWN} more; --json lists all.")
    return lines


def _n(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"


def _signed(value: float | None) -> str:
    return "–" if value is None else f"{value:+.4g}"


def _told(value: float | str | None) -> str:
    return value if isinstance(value, str) else _n(value)


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.2%}"
