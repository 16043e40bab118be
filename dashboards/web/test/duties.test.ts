import { describe, expect, it } from "vitest";
import type { Duty } from "../src/api/duties";
import { isOver, leftText } from "../src/duties/say";

/** Due on 10 January at a site in Shanghai: until the end of that day, 16:00 UTC. */
const DUE = { state: "open", day: "2026-01-10", due: "2026-01-10T16:00:00.000Z", overdue_days: 0 } as Duty;

describe("a duty that is due on a day", () => {
  it.each([
    ["2026-01-09T15:59:00Z", false, "in 1 day"],
    ["2026-01-09T16:00:01Z", false, "today"],
    ["2026-01-10T15:59:59Z", false, "today"],
    ["2026-01-10T16:00:00Z", true, "overdue"],
  ])("at %s", (now, over, left) => {
    expect(isOver(DUE, Date.parse(now))).toBe(over);
    expect(leftText(DUE, Date.parse(now))).toBe(left);
  });
});
