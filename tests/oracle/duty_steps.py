"""Duty steps, worked out once more: which prompts, warnings and supervision 2024 to 2026 must bring.

Why: the product counts working days by one library and arithmetic of its own; this goes day by day, with the holidays
    of another library, and knows nothing of the product. Its tables lie in ``tests/golden/duties``.
Run: ``pip install holidays==0.109``, then ``python tests/oracle/duty_steps.py``. Nothing else needs that library.
"""

import csv
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from pathlib import Path

OUT = Path(__file__).parents[1] / "golden" / "duties"
TOLD_AT = time(8)
DAY = timedelta(days=1)
PERIODS = (1, 2, 4, 5, 7, 10, 13, 15, 30, 90)
DONE_AFTER = (-1, 0, 1, 2, 3, 5, 9, 12, -3, 4, 40)
#: Kind: days of lead; none for the lesser of three days and a fifth of the period.
LEADS = {"hidden_hazards.deadline": None, "enterprises.licence_until": 90, "routines.due": None}
MINUTE = timedelta(minutes=1)


def cases() -> list[tuple[str, str, str, str, str]]:
    """Give id, kind, beginning, end and when it was done."""
    found, day = [], date(2024, 1, 3)
    for number in range(62):
        period, after = PERIODS[number % len(PERIODS)], DONE_AFTER[number % len(DONE_AFTER)]
        done = max(day + after * DAY, day - (period - 1) * DAY)
        begins = day - (period - 1) * DAY
        found.append((f"H{number:02d}", "hidden_hazards.deadline", str(begins), str(day), str(done)))
        day += 17 * DAY
    for number, end in enumerate((date(2024, 2, 9), date(2025, 1, 27), date(2026, 9, 30), date(2025, 4, 30))):
        found.append((f"L{number}", "enterprises.licence_until", "", str(end), str(end + 14 * DAY)))
        found.append((f"R{number}", "routines.due", "", str(end), str(end + (4 + number) * DAY)))
    moment = datetime(2024, 5, 1, 23, 50)  # noqa: DTZ001 - by the site's clock, all of it
    for number, minutes in enumerate((10, 30, 60, 240, 1440, 30 * 1440)):
        ends = moment + minutes * MINUTE
        done = ends + (25 * 60 * number - 1) * MINUTE
        found.append((f"D{number}", "alarms.disposal", str(moment), str(ends), str(done)))
    return found


def of_day(kind: str, begins: str, day: str, done: str) -> list[tuple[datetime, str, int]]:
    """Go day by day until it is done, at noon of a day."""
    import holidays  # noqa: PLC0415 - only whoever makes the tables needs it

    calendar = holidays.country_holidays("CN", years=range(2023, 2028))
    after = date.fromisoformat(day) + DAY
    lead = Fraction(LEADS[kind] or 3)
    if LEADS[kind] is None and begins:
        lead = min(lead, Fraction((after - date.fromisoformat(begins)).days, 5))
    steps, grace, number = [], 1, 0
    on, is_prompted = after - 200 * DAY, False
    while on <= date.fromisoformat(done):
        is_known = not begins or on >= date.fromisoformat(begins)
        ends_in = (after - on).days - 1  # Whole days between the end of this one and the end of the last.
        if is_known and not is_prompted and on < after and Fraction(ends_in) < lead:
            is_prompted = True
            steps.append((datetime.combine(on, TOLD_AT), "prompt", 1))
        if on == after:
            steps.append((datetime.combine(on, TOLD_AT), "warning", 1))
        if on > after and grace == 0 and (number == 0 or calendar.is_working_day(on)):
            number += 1
            steps.append((datetime.combine(on, TOLD_AT), "supervision", number))
        if on >= after and calendar.is_working_day(on):
            grace = 0  # Counts from the next day on: one working day has passed.
        on += DAY
    return steps


def of_moment(begins: str, ends: str, done: str) -> list[tuple[datetime, str, int]]:
    """Do the same of what is due at a moment."""
    start, end, stop = (datetime.fromisoformat(text) for text in (begins, ends, done))
    steps = [(end - min(3 * DAY, (end - start) / 5), "prompt", 1), (end, "warning", 1)]
    first = end + 10 * MINUTE
    steps += [(first + number * DAY, "supervision", number + 1) for number in range(40)]
    return [step for step in steps if step[0] <= stop]


def main() -> None:
    """Write both tables."""
    OUT.mkdir(exist_ok=True)
    with (OUT / "cases.csv").open("w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(("id", "kind", "begins", "ends", "done"))
        out.writerows(cases())
    with (OUT / "steps.csv").open("w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(("time", "id", "step", "number"))
        steps = []
        for name, kind, begins, ends, done in cases():
            is_timed = kind == "alarms.disposal"
            found = of_moment(begins, ends, done) if is_timed else of_day(kind, begins, ends, done)
            steps += [(str(at), name, step, number) for at, step, number in found]
        out.writerows(sorted(steps))


if __name__ == "__main__":
    main()
