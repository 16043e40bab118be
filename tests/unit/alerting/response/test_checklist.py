"""Checklists: what is read, what is refused with its line, and what may be begun on which branch."""

import pytest

from alerting.response.checklist import NoChecklist, Stand, kept_steps, read_steps, stands, write_steps

POSTS, PEOPLE = ("room", "fire"), ("li",)
RIGHT = """\
1 | shut the valve | post:room | 3 | |
2 | spill? | leader | 5 | 1 | yes, no

3 | foam | post:fire | 10.5 | 2=yes
4 | watch | person:li | 30 | 2=no/3 |"""


def test_a_checklist_goes_out_and_in_again() -> None:
    steps = read_steps(RIGHT, POSTS, PEOPLE)
    assert [(one.id, one.limit_s, one.answers) for one in steps] == [
        ("1", 180, ()), ("2", 300, ("yes", "no")), ("3", 630, ()), ("4", 1800, ()),
    ]  # fmt: skip
    assert read_steps(write_steps(steps), POSTS, PEOPLE) == steps == kept_steps(write_steps(steps))


WRONG = {
    "": "it has no step",
    "1 | do | leader": "line 1",
    "1 | do |  | 5": "it has no owner",
    "1 | do | somebody | 5": "the owner is leader",
    "1 | do | post:moon | 5": "no post “moon”; there are post:fire, post:room",
    "1 | do | person:eve | 5": "nobody is called “eve”",
    "1 | do | leader | ": "no time limit",
    "1 | do | leader | 0": "no time limit",
    "1 | do | leader | soon": "no time limit",
    "1 |  | leader | 5": "says not what",
    "! | do | leader | 5": "no id of a step",
    "1 | do | leader | 5\n1 | again | leader | 5": "step 1 stands twice",
    "1 | do | leader | 5 | 9": "there is no step “9”",
    "1 | do | leader | 5\n2 | more | leader | 5 | 1=yes": "step 1 has no answer “yes”",
    "1 | do | leader | 5 | | yes": "answers are 2 to 6",
    "1 | a | leader | 5 | 3\n2 | b | leader | 5 | 1\n3 | c | leader | 5 | 2": "each other: 1 → 3 → 2 → 1",
    "1 | a | leader | 5 | 1": "steps wait for each other: 1 → 1",
    "1 | a? | leader | 5 | | yes, no\n2 | b | leader | 5 | 1=yes, 1=no": "cannot be answered in two ways",
    "\n".join(f"{n} | do | leader | 5" for n in range(61)): "61 steps; at most 60",
}


@pytest.mark.parametrize(("text", "part"), WRONG.items())
def test_what_cannot_be_carried_out_is_refused_with_its_line(text: str, part: str) -> None:
    with pytest.raises(NoChecklist) as caught:
        read_steps(text, POSTS, PEOPLE)
    said = [f"line {one.line}: {one.en}" for one in caught.value.faults]
    assert any(part in one for one in said), said
    assert all(one.zh for one in caught.value.faults)


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(NoChecklist) as caught:
        read_steps("1 | a | | 5\n2 | b | leader | \n3 | c | post:moon | 5", POSTS, PEOPLE)
    assert [one.line for one in caught.value.faults] == [1, 2, 3]


def test_of_a_branch_only_what_was_answered_applies() -> None:
    steps = read_steps(RIGHT, POSTS, PEOPLE)
    open_, waiting, done, void = Stand.OPEN, Stand.WAITING, Stand.DONE, Stand.VOID

    def now(**answers: str) -> list[Stand]:
        return list(stands(steps, {name.removeprefix("s"): answer for name, answer in answers.items()}).values())

    assert now() == [open_, waiting, waiting, waiting]
    assert now(s1="") == [done, open_, waiting, waiting]
    assert now(s1="", s2="yes") == [done, done, open_, waiting]
    assert now(s1="", s2="no") == [done, done, void, open_]
    assert now(s1="", s2="yes", s3="") == [done, done, done, open_]
