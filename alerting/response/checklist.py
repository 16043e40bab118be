"""Checklist: the steps of an emergency plan: who does what within which time, after what, on which branch.

Flow: text as it stands in a form or a cell -> [read_steps] -> steps, or everything that is wrong with them
      steps and what was done of them -> [stands] -> what may be begun, what waits, what does not apply
Why: one line a step is what a sheet, a history and a form can all hold; a checklist that can never be finished is
    refused when it is written, not found at 3 a.m.
Never: does I/O, reads a clock.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from alerting.escalation.plan import LEADER, PERSON, POST

STEPS_MAX: Final = 60
TITLE_MAX: Final = 200
MINUTES_MAX: Final = 7 * 24 * 60
ANSWERS_LEAST: Final = 2
ANSWERS_MAX: Final = 6
FAULTS_SHOWN: Final = 6
PARTS: Final = 6
_ID: Final = re.compile(r"^\w{1,8}$")
_ANSWER: Final = re.compile(r"^[^,，/=|\n]{1,20}$")


@dataclass(frozen=True, slots=True, order=True)
class Need:
    """That another step is done; with an answer, that it was answered so."""

    step: str
    answer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step.

    Attributes:
        id: Short and unique in the checklist.
        owner: ``leader`` for whoever leads the shift, ``post:ID``, or ``person:NAME``.
        limit_s: Time to do it, counted from when everything that it needs is done, s.
        needs: All of these groups; of a group one is enough.
        answers: Words one of which is chosen when it is done; empty for a plain step.
    """

    id: str
    title: str
    owner: str
    limit_s: float
    needs: tuple[tuple[Need, ...], ...] = ()
    answers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong with a line, by language: the rule and the remedy."""

    line: int
    en: str
    zh: str


class NoChecklist(Exception):  # noqa: N818 - a refusal, not a failure
    """A text is no checklist.

    Attributes:
        faults: All of them, at least one.
    """

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(faults[0].en)
        self.faults = tuple(faults)


class Stand(StrEnum):
    """How a step stands."""

    WAITING = "waiting"  # something that it needs is not done yet
    OPEN = "open"
    DONE = "done"
    VOID = "void"  # on a branch that was not taken


Of = Callable[[str], Stand]


def read_steps(text: str, posts: Collection[str], people: Collection[str]) -> tuple[Step, ...]:
    """Read a checklist: one line a step, ``id | what | owner | minutes | after | answers``.

    Args:
        posts: Ids of the site's posts.
        people: Names of its users.

    Raises:
        NoChecklist: With everything that is wrong.
    """
    faults: list[Fault] = []
    steps: list[tuple[int, Step]] = []
    lines = [(number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    if not lines:
        faults.append(Fault(line=0, en="it has no step", zh="没有任何步骤"))
    if len(lines) > STEPS_MAX:
        many = len(lines)
        faults.append(Fault(line=0, en=f"{many} steps; at most {STEPS_MAX}", zh=f"共 {many} 步，最多 {STEPS_MAX} 步"))
    for number, line in lines[:STEPS_MAX]:
        found = _step(number, line, posts, people, faults)
        if found is not None:
            steps.append((number, found))
    _check_across(steps, faults)
    if faults:
        raise NoChecklist(sorted(faults, key=lambda one: one.line))
    return tuple(step for _, step in steps)


def kept_steps(text: str) -> tuple[Step, ...]:
    """Read a checklist that was right when it was written; whom it names may be gone since."""
    faults: list[Fault] = []
    found = [_step(number, line, None, None, faults) for number, line in enumerate(text.splitlines(), start=1)]
    return tuple(step for step in found if step is not None)


def write_steps(steps: Iterable[Step]) -> str:
    """Write steps as ``read_steps`` reads them; the same steps give the same text."""
    return "\n".join(
        " | ".join(
            (
                step.id,
                step.title,
                step.owner,
                f"{step.limit_s / 60:g}",
                ", ".join("/".join(map(_written, group)) for group in step.needs),
                ", ".join(step.answers),
            )
        )
        for step in steps
    )  # fmt: skip


def _written(need: Need) -> str:
    return f"{need.step}={need.answer}" if need.answer else need.step


def stands(steps: Sequence[Step], done: Mapping[str, str]) -> dict[str, Stand]:
    """Tell how each step stands.

    Args:
        done: Answer by step that is done; empty for a plain step.
    """
    by_id = {step.id: step for step in steps}
    found: dict[str, Stand] = {}

    def of(name: str) -> Stand:
        if name not in found:
            found[name] = Stand.DONE if name in done else _of_needs(by_id[name], of, done)
        return found[name]

    for step in steps:
        of(step.id)
    return {step.id: found[step.id] for step in steps}


def _of_needs(step: Step, of: Of, done: Mapping[str, str]) -> Stand:
    groups = [[_of_need(need, of, done) for need in group] for group in step.needs]
    if any(all(one is Stand.VOID for one in group) for group in groups):
        return Stand.VOID
    return Stand.OPEN if all(Stand.DONE in group for group in groups) else Stand.WAITING


def _of_need(need: Need, of: Of, done: Mapping[str, str]) -> Stand:
    stand = of(need.step)
    if stand is Stand.DONE:
        return Stand.DONE if need.answer in ("", done[need.step]) else Stand.VOID
    return Stand.VOID if stand is Stand.VOID else Stand.WAITING


def _step(
    number: int, line: str, posts: Collection[str] | None, people: Collection[str] | None, faults: list[Fault]
) -> Step | None:
    """Read a line; without posts and people these are taken as they stand."""
    cells = [cell.strip() for cell in line.split("|")]
    if not PARTS - 2 <= len(cells) <= PARTS:
        faults.append(
            Fault(
                line=number,
                en="a step is: id | what | owner | minutes | after | answers",
                zh="每步格式为：编号 | 内容 | 负责 | 时限（分钟） | 前置 | 选项",
            )
        )
        return None
    name, title, owner, minutes, after, answers = (*cells, *[""] * (PARTS - len(cells)))
    had = len(faults)

    def wrong(en: str, zh: str) -> None:
        faults.append(Fault(line=number, en=en, zh=zh))

    if not _ID.match(name):
        wrong(
            f"“{name[:12]}” is no id of a step (1 to 8 letters or digits)",
            f"“{name[:12]}”不是步骤编号（1–8 个字母或数字）",
        )
    if not 0 < len(title) <= TITLE_MAX:
        wrong(f"it says not what is to be done, or in more than {TITLE_MAX} signs", f"缺少内容或超过 {TITLE_MAX} 字")
    _check_owner(owner, posts, people, wrong)
    limit = _minutes(minutes)
    if limit is None:
        wrong(f"it has no time limit from 0.5 to {MINUTES_MAX} minutes", f"缺少时限（0.5–{MINUTES_MAX} 分钟）")
    chosen = tuple(word.strip() for word in re.split("[,，]", answers) if word.strip())
    if answers and (
        not ANSWERS_LEAST <= len(chosen) <= ANSWERS_MAX
        or len(set(chosen)) < len(chosen)
        or not all(map(_ANSWER.match, chosen))
    ):
        wrong(
            f"answers are 2 to {ANSWERS_MAX} different words, parted by commas",
            f"选项应为 2–{ANSWERS_MAX} 个不同的词，用逗号分隔",
        )
    needs = tuple(_group(group) for group in re.split("[,，]", after) if group.strip())
    if len(faults) > had:
        return None
    assert limit is not None, "told above"
    return Step(id=name, title=title, owner=owner, limit_s=limit * 60, needs=needs, answers=chosen)  # fmt: skip


def _check_owner(
    owner: str, posts: Collection[str] | None, people: Collection[str] | None, wrong: Callable[[str, str], None]
) -> None:
    if owner == "":
        wrong("it has no owner", "缺少负责人")
    elif owner.startswith(POST):
        name = owner.removeprefix(POST)
        if posts is not None and name not in posts:
            known = ", ".join(f"{POST}{one}" for one in sorted(posts)) or "–"
            wrong(
                f"the site has no post “{name[:40]}”; there are {known}", f"本站点没有岗位“{name[:40]}”；现有 {known}"
            )
    elif owner.startswith(PERSON):
        name = owner.removeprefix(PERSON)
        if people is not None and name not in people:
            wrong(f"nobody is called “{name[:40]}” here", f"没有名为“{name[:40]}”的用户")
    elif owner != LEADER:
        wrong(
            f"the owner is {LEADER}, {POST}ID or {PERSON}NAME, not “{owner[:40]}”",
            f"负责应为 {LEADER}、{POST}岗位 或 {PERSON}用户名，不是“{owner[:40]}”",
        )


def _minutes(said: str) -> float | None:
    if not re.fullmatch(r"\d{1,5}(\.\d{1,2})?", said):
        return None
    found = float(said)
    return found if 0.5 <= found <= MINUTES_MAX else None  # noqa: PLR2004 - half a minute


def _group(said: str) -> tuple[Need, ...]:
    found = []
    for each in said.split("/"):
        step, _, answer = each.partition("=")
        found.append(Need(step.strip(), answer.strip()))
    return tuple(found)


def _check_across(steps: Sequence[tuple[int, Step]], faults: list[Fault]) -> None:
    by_id: dict[str, Step] = {}
    for number, step in steps:
        if step.id in by_id:
            faults.append(Fault(line=number, en=f"step {step.id} stands twice", zh=f"步骤 {step.id} 重复"))
        by_id.setdefault(step.id, step)
    had = len(faults)
    for number, step in steps:
        for need in (one for group in step.needs for one in group):
            other = by_id.get(need.step)
            if other is None:
                faults.append(
                    Fault(line=number, en=f"there is no step “{need.step[:12]}”", zh=f"没有步骤“{need.step[:12]}”")
                )
            elif need.answer and need.answer not in other.answers:
                faults.append(
                    Fault(
                        line=number,
                        en=f"step {other.id} has no answer “{need.answer[:20]}”",
                        zh=f"步骤 {other.id} 没有选项“{need.answer[:20]}”",
                    )
                )
    if len(faults) == had:
        faults += _never(steps, by_id)


def _never(steps: Sequence[tuple[int, Step]], by_id: Mapping[str, Step]) -> list[Fault]:
    """Tell which steps could never be begun."""
    ring = _ring(by_id)
    if ring:
        shown = " → ".join(ring)
        number = next(number for number, step in steps if step.id == ring[0])
        return [Fault(line=number, en=f"steps wait for each other: {shown}", zh=f"步骤互相等待：{shown}")]
    found = []
    for number, step in steps:
        asked: dict[str, str] = {}
        for need in (group[0] for group in step.needs if len(group) == 1 and group[0].answer):
            if asked.setdefault(need.step, need.answer) != need.answer:
                en, zh = f"step {need.step} cannot be answered in two ways", f"步骤 {need.step} 不能同时有两个答案"
                found.append(Fault(line=number, en=en, zh=zh))
    return found


def _ring(by_id: Mapping[str, Step]) -> list[str]:
    """Give a ring of steps that wait for each other; nothing where there is none."""
    left = {name: {need.step for group in step.needs for need in group} for name, step in by_id.items()}
    while free := [name for name, needs in left.items() if not needs]:
        left = {name: needs - set(free) for name, needs in left.items() if name not in free}
    if not left:
        return []
    path = [min(left)]
    while path[-1] not in path[:-1]:
        path.append(min(left[path[-1]]))
    return path[path.index(path[-1]) :]
