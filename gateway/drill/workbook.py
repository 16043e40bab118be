"""Workbook (情景构建): a drill as scenario, tasks, answers, capability gaps and measures with owners, in one language.

Flow: record, score, lessons -> [workbook] -> report -> XLSX, HTML or PDF
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from alerting.push.words import TIER_ZH, condition_said
from alerting.register.field import Words
from alerting.register.ledgers.lessons import STATES as LESSON_STATES
from alerting.response.score import Mark
from gateway.config import Site
from gateway.drill.account import is_passed
from gateway.drill.records import BROKEN_OFF, FINISHED, HELD, RUNNING, STOPPED, Record
from gateway.register.record import Record as Kept
from gateway.report.blocks import Block, Cell, Report
from gateway.response.sheets import owner_said
from gateway.response.situation import clock_said

MARKS: Final = {
    Mark.IN_TIME.value: Words("in time", "按时"),
    Mark.LATE.value: Words("late", "超时"),
    Mark.SKIPPED.value: Words("not done", "未做"),
    Mark.UNREACHED.value: Words("the drill ended before", "演练结束前未到期"),
    Mark.VOID.value: Words("does not apply", "不适用"),
}
STATES: Final = {
    RUNNING: Words("goes on", "进行中"),
    HELD: Words("paused", "已暂停"),
    FINISHED: Words("played to its end", "已完成"),
    STOPPED: Words("stopped", "人工结束"),
    BROKEN_OFF: Words("broken off", "中断"),
}
_BAD: Final = (Mark.LATE.value, Mark.SKIPPED.value)


def workbook(
    record: Record, score: Mapping[str, Any] | None, lessons: Sequence[Kept], site: Site, language: str, now_ns: int
) -> Report:
    """Put a drill together.

    Args:
        score: As `exercise.scored` gives it; None where no plan was exercised.
        language: ``en`` or ``zh``.
    """
    pick = 1 if language == "zh" else 0
    title = Words(f"Workbook of drill {record.number}", f"第 {record.number} 次演练情景构建工作簿")[pick]
    shown = site.title.get(language) or site.id
    exercise = Words(
        "EXERCISE - nothing of this happened to the plant itself.", "【演练】以下内容均为演练，并非装置实际发生。"
    )
    blocks = [_scenario(record, score, site, language)]
    if score is not None:
        blocks += [_tasks(score, site, language), _answers(score, site, language)]
    blocks += [_gaps(record, score, language), _measures(lessons, language)]
    made = f"{shown} · {clock_said(site, now_ns)} ({site.timezone})"
    return Report(title=title, lines=(made, exercise[pick]), blocks=tuple(blocks), language=language)


def _said(one: Mapping[str, str], language: str) -> str:
    return one.get(language) or one.get("en") or next(iter(one.values()), "")


def _s(seconds: float | None) -> Cell:
    return "–" if seconds is None else round(seconds, 1)


def _clock(said: str | None, site: Site) -> str:
    """Write an ISO time by the site's clock; a dash for never."""
    if not said:
        return "–"
    return datetime.fromisoformat(said).astimezone(ZoneInfo(site.timezone)).strftime("%Y-%m-%d %H:%M:%S")


def _scenario(record: Record, score: Mapping[str, Any] | None, site: Site, language: str) -> Block:
    zh = language == "zh"
    rows: list[tuple[str, Cell]] = [
        ("情景" if zh else "Story", f"{_said(record.title, language) or record.story} ({record.story})"),
        ("装置模型" if zh else "Plant", record.plant),
        ("随机数种子" if zh else "Number that fixes luck", record.seed),
        ("配置版本" if zh else "Revision of the configuration", record.revision),
        ("目的" if zh else "Why", record.reason),
        ("发起人" if zh else "Led by", record.begun_by),
        ("开始" if zh else "Begun", clock_said(site, record.begun_ns)),
        ("结束" if zh else "Ended", clock_said(site, record.ended_ns) if record.ended_ns else "–"),
        ("状态" if zh else "State", STATES[record.state][zh]),
        ("演练时长 (s)" if zh else "Played (s)", _s(record.verdict.get("played_s"))),
        ("暂停次数" if zh else "Pauses", len(record.pauses)),
        ("脚本预期" if zh else "Expectations of the story", _verdict(passed=is_passed(record), zh=zh)),
    ]
    if score is not None:
        plan = score["plan"]
        tier = TIER_ZH[plan["tier"]] if zh else plan["tier"]
        rows += [
            ("演练预案" if zh else "Plan exercised", f"{plan['code']} {plan['title']}"),
            ("预案版本" if zh else "Its revision", plan["revision"]),
            ("启动级别" if zh else "Opens from tier", tier),
            ("预案启动" if zh else "Plan opened", _clock(score["opened"], site)),
            ("首次处置 (s)" if zh else "First action (s)", _s(score["first_action_s"])),
            ("首次处置目标 (s)" if zh else "Its target (s)", _s(score["first_action_target_s"])),
            ("全部完成 (s)" if zh else "Complete (s)", _s(score["complete_s"])),
            ("全部完成目标 (s)" if zh else "Its target (s)", _s(score["complete_target_s"])),
            ("按时完成率 (%)" if zh else "In time (%)", _s(score["percent"])),
            ("按预案完成" if zh else "By the plan", _verdict(passed=score["kept"], zh=zh)),
            ("参与人员" if zh else "Who took part", ", ".join(score["people"]) or "–"),
        ]
    if record.evaluation:
        rows.append(("评估" if zh else "Evaluation", f"{record.evaluation['text']} ({record.evaluation['by']})"))
    return Block(
        heading="情景" if zh else "Scenario", header=("项目", "内容") if zh else ("Item", "Content"), rows=tuple(rows)
    )


def _verdict(*, passed: bool | None, zh: bool) -> str:
    if passed is None:
        return "无结论" if zh else "no verdict"
    if passed:
        return "符合" if zh else "as expected"
    return "不符合" if zh else "not as expected"


def _tasks(score: Mapping[str, Any], site: Site, language: str) -> Block:
    zh = language == "zh"
    header = (
        ("步骤", "任务", "负责", "时限 (s)", "用时 (s)", "结果", "完成人", "选项", "备注")
        if zh
        else ("Step", "Task", "Owner", "Limit (s)", "Took (s)", "Result", "Done by", "Answer", "Note")
    )
    rows = tuple(
        (
            one["id"], one["title"], owner_said(one["owner"], site, language), one["limit_s"], _s(one["took_s"]),
            MARKS[one["mark"]][zh], one["by"] or "–", one["answer"], one["note"],
        )
        for one in score["steps"]
    )  # fmt: skip
    note = (
        "用时自前置步骤完成时起算，不含暂停。"
        if zh
        else "Times count from when what a step needs was done, pauses left out."
    )
    return Block(heading="任务" if zh else "Tasks", header=header, rows=rows, note=note)


def _answers(score: Mapping[str, Any], site: Site, language: str) -> Block:
    zh = language == "zh"
    header = (
        ("报警时间", "测点", "条件", "级别", "确认用时 (s)", "目标 (s)", "结果", "确认人")
        if zh
        else ("Rang", "Tag", "Condition", "Tier", "Acknowledged after (s)", "Target (s)", "Result", "By")
    )
    rows = tuple(
        (
            _clock(one["rang"], site), one["tag"], condition_said(one["condition"], language),
            TIER_ZH[one["tier"]] if zh else one["tier"], _s(one["after_s"]), _s(one["target_s"]),
            _ack_said(one, zh=zh), one["by"] or "–",
        )
        for one in score["acknowledged"]
    )  # fmt: skip
    note = (
        "目标取站点 [duties] 的确认时限；未配置的级别没有目标。"
        if zh
        else "Targets are the site's own ([duties]); a tier without one has no target."
    )
    return Block(heading="报警确认" if zh else "Acknowledgements", header=header, rows=rows, note=note)


def _ack_said(one: Mapping[str, Any], *, zh: bool) -> str:
    if one["after_s"] is None:
        return "未确认" if zh else "not acknowledged"
    return (
        "已确认" if one["target_s"] is None and zh else ("done" if one["target_s"] is None else MARKS[one["mark"]][zh])
    )


def _gaps(record: Record, score: Mapping[str, Any] | None, language: str) -> Block:
    """Write what was not as it should be: steps, acknowledgements, expectations of the story."""
    zh = language == "zh"
    rows: list[tuple[str, str, str]] = []
    if score is not None and score["opened"] is None:
        rows.append(("预案" if zh else "Plan", score["plan"]["code"], "未启动" if zh else "did not open"))
    if score is not None:
        task, alarm = ("任务", "报警确认") if zh else ("Task", "Acknowledgement")
        rows += [
            (task, f"{one['id']} {one['title']}", MARKS[one["mark"]][zh])
            for one in score["steps"]
            if one["mark"] in _BAD
        ]
        rows += [
            (alarm, f"{one['tag']} {condition_said(one['condition'], language)}", _ack_said(one, zh=zh))
            for one in score["acknowledged"]
            if one["mark"] in _BAD
        ]
    rows += [
        ("脚本预期" if zh else "Expectation", _said(each["say"], language), _said(each["why"], language))
        for each in record.verdict.get("expectations", ())
        if each["standing"] == "missed"
    ]
    header = ("类别", "内容", "差距") if zh else ("Sort", "What", "Gap")
    return Block(heading="能力差距" if zh else "Capability gaps", header=header, rows=tuple(rows))


def _measures(lessons: Sequence[Kept], language: str) -> Block:
    zh = language == "zh"
    states = {choice.code: choice.title for choice in LESSON_STATES}
    rows = tuple(
        (
            each.code, each.title, str(each.values["measure"]), str(each.values["responsible"]),
            str(each.values["due"]), states[each.values["state"]][zh],
        )
        for each in lessons
    )  # fmt: skip
    header = (
        ("编号", "差距", "改进措施", "责任人", "期限", "状态")
        if zh
        else ("Code", "Gap", "Measure", "Owner", "Due", "State")
    )
    return Block(heading="改进措施" if zh else "Measures", header=header, rows=rows)
