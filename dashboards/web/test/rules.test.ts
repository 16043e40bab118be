import { describe, expect, it } from "vitest";
import type { Mistake, RuleInForce } from "../src/api/types";
import { isSame, keysOf, mistakesAt, otherMistakes, tableKeys } from "../src/rules/draft";

function rule(kind: string): RuleInForce {
  return {
    id: `TK.level.${kind}`,
    tag: "TK.level",
    title: {},
    unit: "TK",
    eu: "m",
    resolution: 0,
    kind,
    group: "high",
    tier: "YELLOW",
    revision: 1,
    is_changed: false,
    is_own: false,
    table: { tag: "TK.level", kind, setpoint: 4 },
  };
}
function mistake(path: string): Mistake {
  return { file: "rule changes", line: 1, path, sentence: "s", remedy: "r" };
}

describe("drafts of rules", () => {
  it("offer the keys that the kind has", () => {
    expect(keysOf(rule("H"))).toContain("deadband");
    expect(keysOf(rule("STALE"))).toEqual(["setpoint", "off_delay_s"]);
    expect(keysOf(rule("TREND"))).not.toContain("setpoint");
  });
  it("put a mistake at its field and nowhere else", () => {
    const found = [mistake("TK.level.H setpoint"), mistake("TK.level.H"), mistake("TK.level.HH setpoint")];
    expect(mistakesAt(found, "TK.level.H", "setpoint")).toHaveLength(1);
    expect(mistakesAt(found, "TK.level.H")).toHaveLength(1);
    expect(otherMistakes(found)).toHaveLength(3); // nothing is drafted, so no field shows them
  });
  it("take equal settings as no change", () => {
    expect(isSame({ en: "a" }, { en: "a" })).toBe(true);
    expect(isSame(undefined, null)).toBe(true);
    expect(isSame(4, "4")).toBe(false);
  });
  it("show what a rule has, but not what it is", () => {
    expect(tableKeys({ tag: "x", kind: "H", setpoint: 1 }, { setpoint: 2, tier: "RED" })).toEqual(["setpoint", "tier"]);
  });
});
