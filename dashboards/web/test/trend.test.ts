import { describe, expect, it } from "vitest";
import type { History, Status } from "../src/api/types";
import { status } from "../src/live/picture";
import { drawn } from "../src/trend/series";
import { tickLabel, ticks } from "../src/trend/ticks";
import { fromSiteClock, full, toSiteClock, zoneLabel } from "../src/words/format";

function live(timezone: string): void {
  status.value = { timezone } as Status;
}
const HOUR = 3_600_000;

describe("the time axis", () => {
  it("has its places at round moments of the site's clock, not the browser's", () => {
    live("Asia/Kolkata"); // UTC+5:30: a whole hour there is a half hour of UTC
    const from = Date.parse("2026-01-01T00:10:00Z");
    const { at, step } = ticks(from, from + 4 * HOUR, 6);
    expect(step).toBe(HOUR);
    expect(at.map((moment) => tickLabel(moment, step))).toEqual(["06:00", "07:00", "08:00", "09:00"]);
  });

  it("keeps midnight at midnight over a clock change", () => {
    live("Europe/Berlin");
    const from = Date.parse("2026-03-28T12:00:00Z");
    const { at, step } = ticks(from, from + 72 * HOUR, 4);
    expect(step).toBe(24 * HOUR);
    expect(at.map((moment) => full(moment).slice(0, 16))).toEqual(["2026-03-29 00:00", "2026-03-30 00:00", "2026-03-31 00:00"]);
  });

  it("reads and writes the site's wall clock", () => {
    live("Asia/Shanghai");
    const moment = Date.parse("2026-01-01T19:30:00Z");
    expect(toSiteClock(moment)).toBe("2026-01-02T03:30");
    expect(fromSiteClock("2026-01-02T03:30")).toBe(moment);
    expect(zoneLabel(moment)).toBe("UTC+8");
  });
});

function history(rows: [number, number | null, number][]): History {
  return {
    tag: "x", eu: "m", is_rolled_up: false,
    times_ns: rows.map((row) => `${row[0]}000000000`), values: rows.map((row) => row[1]), min: rows.map((row) => row[1]), max: rows.map((row) => row[1]), quality: rows.map((row) => row[2]),
  };
}

describe("a drawn history", () => {
  it("leaves a gap open", () => {
    const { line } = drawn(history([[1, 1, 0], [2, 2, 0], [60, 3, 0]]), 1000);
    expect(line).toEqual([[1000, 1], [2000, 2], [2001, null], [60_000, 3]]);
  });

  it("keeps a sample in sight that has a gap on either side", () => {
    const { alone } = drawn(history([[0, 5, 0], [60, 1, 0], [61, 2, 0], [62, 3, 0], [63, 3, 0], [120, 4, 0]]), 1000);
    expect(alone).toEqual([[0, 5], [120_000, 4]]);
  });

  it("hatches what is bad, from its first to the next good sample", () => {
    const { bad, line } = drawn(history([[1, 1, 0], [2, null, 0x82], [3, null, 0x82], [4, 2, 0]]), 1000);
    expect(bad).toEqual([[2000, 4000]]);
    expect(line[1]).toEqual([2000, null]);
  });

  it("leaves the historian's own mark of a hole open too", () => {
    const { bad, line } = drawn(history([[1, 1, 0], [2, null, 0x80], [3, 2, 0]]), 1000);
    expect(bad).toEqual([]);
    expect(line[1]).toEqual([2000, null]);
  });

  it("never draws a missing value as nought", () => {
    const { least, most } = drawn(history([[1, 5, 0], [2, null, 0x87]]), 1000);
    expect([least, most]).toEqual([5, 5]);
  });
});
