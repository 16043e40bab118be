"""Topic patterns, against the rules of MQTT as paho's matcher knows them."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import topic_matches_sub

from edge.collect.mqtt.topic import fill, filter_of, match, overlap, parted


@pytest.mark.parametrize(
    ("pattern", "topic_filter", "topic", "found"),
    [
        ("plant/gas/{tag}", "plant/gas/+", "plant/gas/GD-7", {"tag": "GD-7"}),
        ("plant/gas/{tag}", "plant/gas/+", "plant/gas/GD-7/x", None),
        ("plant/gas/{tag}", "plant/gas/+", "plant/gas/", None),
        ("plant/gas/{tag}", "plant/gas/+", "plant/gas/危险源", {"tag": "危险源"}),
        ("plant/{area}/{tag}/v", "plant/+/+/v", "plant/a/b/v", {"area": "a", "tag": "b"}),
        ("gas/GD-{tag}", "gas/+", "gas/GD-7", {"tag": "7"}),
        ("gas/GD-{tag}", "gas/+", "gas/XX-7", None),
        ("{tag}/{tag}", "+/+", "a/a", {"tag": "a"}),
        ("{tag}/{tag}", "+/+", "a/b", None),
        ("a/+/c", "a/+/c", "a/b/c", {}),
        ("a/#", "a/#", "a/b/c", {}),
        ("a/#", "a/#", "a", {}),
        ("a/#", "a/#", "ab", None),
        ("#", "#", "a/b", {}),
        ("#", "#", "$SYS/x", None),
        ("{tag}/x", "+/x", "$SYS/x", None),
        ("a.b/c", "a.b/c", "a.b/c", {}),
        ("a.b/c", "a.b/c", "axb/c", None),
        ("v/{tag}", "v/+", "v/line\nbreak", {"tag": "line\nbreak"}),
    ],
)
def test_pattern(pattern: str, topic_filter: str, topic: str, found: dict[str, str] | None) -> None:
    assert filter_of(pattern) == topic_filter
    assert match(pattern, topic) == found


level = st.sampled_from(["a", "b", "", "+"])


@given(
    st.lists(level, min_size=1, max_size=4),
    st.booleans(),
    st.lists(st.sampled_from(["a", "b", ""]), min_size=1, max_size=5),
)
def test_plain_filters_match_as_paho_says(levels: list[str], has_rest: bool, topic_levels: list[str]) -> None:
    """The outside check: paho's own matcher."""
    pattern = "/".join([*levels, "#"] if has_rest else levels)
    topic = "/".join(topic_levels)
    if pattern and topic:
        assert (match(pattern, topic) is not None) == topic_matches_sub(pattern, topic)


@pytest.mark.parametrize(
    ("pattern", "group", "heard"),
    [("$share/g/a/{tag}", "g", "a/{tag}"), ("$share/g//a", "g", "/a"), ("$share/g", "g", ""), ("a/b", "", "a/b")],
)
def test_a_shared_pattern_is_a_group_and_what_it_hears(pattern: str, group: str, heard: str) -> None:
    assert parted(pattern) == (group, heard)


def test_the_filter_of_a_shared_pattern_keeps_its_group() -> None:
    assert filter_of("$share/g/a/{tag}/#") == "$share/g/a/+/#"


@given(*[st.lists(st.sampled_from(["a", "b", "+", "#"]), min_size=1, max_size=4)] * 2)
def test_patterns_overlap_where_a_topic_matches_both(one: list[str], other: list[str]) -> None:
    """The outside check: every topic of up to five levels, by paho's own matcher."""
    patterns = ["/".join(levels[: levels.index("#") + 1] if "#" in levels else levels) for levels in (one, other)]
    topics = ["/".join(levels) for n in range(1, 6) for levels in product("ab", repeat=n)]
    both = any(all(topic_matches_sub(pattern, topic) for pattern in patterns) for topic in topics)
    assert overlap(*patterns) == overlap(*reversed(patterns)) == both


def test_filling_a_name() -> None:
    assert fill("GD-{tag}.lel", {"tag": "7"}) == "GD-7.lel"
    assert fill("{tag}.{name}", {"tag": "7"}) == "7.{name}"
    assert fill("{tag}", {"tag": "{tag}\\1"}) == "{tag}\\1"
