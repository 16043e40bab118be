"""The few lines that a terminal shows of a backtest."""

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


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.2%}"
