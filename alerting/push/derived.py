"""Words for derived tags: from which inputs, with which values, one was computed.

Flow: cause of an event -> [computed_from] -> clause -> notice, "why did this ring?"
Never: shows the last good value of an input that is BAD as if it were its value.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal

MISSING_SAID: Final = 0.005  # Less is 0 % in a sentence.
SHARES_SHOWN: Final = 3
INPUTS_SHOWN: Final = 4  # A sentence that names more is no sentence; the cause has them all.


def computed_from(facts: Mapping[str, Any], lang: Literal["en", "zh"]) -> str:
    """Give the tail of a clause, e.g. `` (computed from TK-101.level 4.31 m)``; empty for a measured tag."""
    inputs = facts.get("inputs") or []
    if not inputs:
        return ""
    computed = facts.get("computed") or {}
    if computed.get("shares"):
        return _learned(computed, lang)
    shown = [_input(one, lang) for one in inputs[:INPUTS_SHOWN]]
    more = len(inputs) - len(shown) + int(facts.get("inputs_more") or 0)
    if lang == "zh":
        rest = f"等 {len(shown) + more} 个位号" if more else ""
        return f"(由 {'、'.join(shown)}{rest} 计算{_span(facts, ',时间窗 {}', ' 秒', ',缺测 {:.0%}')})"
    rest = f" and {more} more" if more else ""
    return f" (computed from {', '.join(shown)}{rest}{_span(facts, ' over {}', ' s', ', {:.0%} of it missing')})"


def _span(facts: Mapping[str, Any], over: str, unit: str, missing: str) -> str:
    """Say over which span a value stands, and how much of it was not measured."""
    computed = facts.get("computed") or {}
    if computed.get("window_s") is None:
        return ""
    share = computed.get("missing_share") or 0.0
    lack = missing.format(share) if share >= MISSING_SAID else ""
    return over.format(f"{computed['window_s']:g}{unit}") + lack


def _learned(computed: Mapping[str, Any], lang: Literal["en", "zh"]) -> str:
    """Say how far a learned model is beyond its limit, and which tags bring most of it."""
    name = {"q": "Q", "t2": "T²"}.get(str(computed.get("statistic")), "?")
    amount, limit = float(computed.get("amount", 0)), float(computed.get("learned_limit", 0))
    shares = [f"{one['tag']} {100 * one['share']:.0f} %" for one in computed["shares"][:SHARES_SHOWN]]
    if lang == "zh":
        return f"({name} {amount:.3g},学得限值 {limit:.3g};主要来自 {'、'.join(shares)})"
    return f" ({name} {amount:.3g}, its learned limit {limit:.3g}; mostly {', '.join(shares)})"


def _input(one: Mapping[str, Any], lang: Literal["en", "zh"]) -> str:
    quality, value = str(one.get("quality") or ""), one.get("value")
    if quality.startswith("BAD") or value is None:
        return f"{one.get('tag', '?')} {'质量坏' if lang == 'zh' else (quality or 'without value')}"
    text = f"{value:.6g}"
    return f"{one.get('tag', '?')} {text} {one['eu']}" if one.get("eu") else f"{one.get('tag', '?')} {text}"
