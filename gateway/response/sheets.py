"""Sheets: a plan and a post card as they are printed: title, sections, checklist, contacts.

Flow: record -> [plan_sheet, card_sheet] -> report in one language -> gateway.report.pdf
"""

from collections.abc import Sequence
from typing import Final

from alerting.escalation.plan import LEADER, PERSON, POST
from alerting.register.field import Field, Kind, Words
from alerting.register.ledger import Ledger
from alerting.register.ledgers.plans import PLANS, POST_CARDS
from alerting.response.checklist import Need, Step
from gateway.config import Site
from gateway.register.record import Record
from gateway.report.blocks import Block, Report
from gateway.response.plans import Plan

CHECKLIST: Final = Words("Checklist", "处置步骤")
RESTART: Final = Words("Restart check-list", "复产检查清单")


def owner_said(owner: str, site: Site, language: str) -> str:
    """Write whom a step belongs to."""
    zh = language == "zh"
    if owner == LEADER:
        return "带班领导" if zh else "shift leader"
    if owner.startswith(POST):
        post = site.roster.post(owner.removeprefix(POST))
        return owner if post is None else (post.title.get(language) or post.id)
    return owner.removeprefix(PERSON)


def steps_block(steps: Sequence[Step], site: Site, language: str, title: Words = CHECKLIST) -> Block:
    """Write a checklist as a table."""
    zh = language == "zh"
    rows = tuple(
        (
            step.id,
            step.title + (f" ({' / '.join(step.answers)})" if step.answers else ""),
            owner_said(step.owner, site, language),
            f"{step.limit_s / 60:g} min",
            needs_said(step.needs, language),
            "☐",
        )
        for step in steps
    )
    header = (
        ("步骤", "内容", "负责", "时限", "前置", "完成") if zh else ("Step", "What", "Owner", "Limit", "After", "Done")
    )
    note = (
        "时限自前置步骤完成时起算；未选中分支的步骤不适用。"
        if zh
        else "A limit counts from when what stands under After is done; steps of a branch not taken do not apply."
    )
    return Block(heading=title.zh if zh else title.en, header=header, rows=rows, note=note)


def needs_said(needs: Sequence[Sequence[Need]], language: str) -> str:
    """Write what a step comes after."""
    every, either = ("、", " 或 ") if language == "zh" else (", ", " or ")
    return every.join(
        either.join(need.step + (f" = {need.answer}" if need.answer else "") for need in group) for group in needs
    )


def plan_sheet(plan: Plan, cards: Sequence[Record], site: Site, language: str) -> Report:
    """Put a plan together as it is printed."""
    zh = language == "zh"
    left_out = ("code", "name", "steps", "restart")
    sections = [
        Block(
            heading="适用范围与内容" if zh else "Scope and sections",
            header=("项目", "内容") if zh else ("Item", "Content"),
            rows=_said(PLANS, plan.record, site, language, left_out),
        )
    ]
    blocks = [*sections, steps_block(plan.steps, site, language)]
    if plan.restart:
        blocks.append(steps_block(plan.restart, site, language, RESTART))
    if cards:
        blocks.append(
            Block(
                heading="应急处置卡" if zh else "Post cards",
                header=("卡号", "卡名", "岗位") if zh else ("Card", "Name", "Post"),
                rows=tuple((one.code, one.title, _post(one.values["post"], site, language)) for one in cards),
            )
        )
    return Report(
        title=plan.record.title, lines=_lines(plan.record, site, language), blocks=tuple(blocks), language=language
    )


def card_sheet(card: Record, site: Site, language: str) -> Report:
    """Put a post card together as it is printed."""
    zh = language == "zh"
    steps = [line.strip() for line in str(card.values["steps"]).splitlines() if line.strip()]
    blocks = (
        Block(
            heading="处置步骤" if zh else "Steps",
            header=("序号", "步骤", "完成") if zh else ("No.", "Step", "Done"),
            rows=tuple((f"{number}", line, "☐") for number, line in enumerate(steps, start=1)),
        ),
        Block(
            heading="卡片内容" if zh else "Card",
            header=("项目", "内容") if zh else ("Item", "Content"),
            rows=_said(POST_CARDS, card, site, language, ("code", "name", "steps")),
        ),
    )
    return Report(title=card.title, lines=_lines(card, site, language), blocks=blocks, language=language)


def _lines(one: Record, site: Site, language: str) -> tuple[str, ...]:
    title = site.title.get(language) or site.id
    if language == "zh":
        return (f"{title}　编号 {one.code}　第 {one.revision} 版（{one.who}）",)
    return (f"{title} · {one.code} · revision {one.revision} ({one.who})",)


def _said(
    ledger: Ledger, one: Record, site: Site, language: str, left_out: Sequence[str]
) -> tuple[tuple[str, str], ...]:  # fmt: skip
    return tuple(
        (each.heading(language), _value(each, one.values[each.name], site, language))
        for each in ledger.fields
        if each.name in one.values and each.name not in left_out
    )


def _value(field: Field, value: object, site: Site, language: str) -> str:
    if field.kind is Kind.CHOICE:
        title = next((choice.title for choice in field.choices if choice.code == value), None)
        return str(value) if title is None else (title.zh if language == "zh" else title.en)
    if field.kind is Kind.POST:
        return _post(str(value), site, language)
    if field.kind is Kind.UNIT:
        unit = next((one for one in site.units if one.id == value), None)
        return str(value) if unit is None else f"{unit.title.get(language) or unit.id} ({unit.id})"
    return str(value)


def _post(post: str, site: Site, language: str) -> str:
    known = site.roster.post(post)
    return post if known is None else (known.title.get(language) or post)
