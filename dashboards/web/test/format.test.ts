import { beforeEach, describe, expect, it } from "vitest";
import { backText, conditionText, ownerWord, shownTier, stateText } from "../src/words/format";
import { plant } from "../src/live/picture";
import { language } from "../src/words/i18n";
import { know, makeAlarm as alarm, makeLimit, makeTag } from "./alarm";

const at = (value: number, quality = 0): { value: number; quality: number; t_ms: number } => ({ value, quality, t_ms: 1 });

beforeEach(() => {
  language.value = "en";
  know(
    makeTag("TK.level", {
      limits: [makeLimit("H", 4.8, { deadband: 0.1, off_delay_s: 5 }), makeLimit("HH", 5.1, { deadband: 0.1, off_delay_s: 8, tier: "ORANGE" }), makeLimit("L", 1, { deadband: 0.1, off_delay_s: 3, is_latching: true })],
    }),
  );
});
const high = alarm("h", { tag: "TK.level", condition: "HH", setpoint: 5.1, tier: "ORANGE", tier_max: "ORANGE", state: "UNACK" });

describe("why an alarm is still active", () => {
  it("is not said while the value is beyond the limit", () => {
    expect(backText(high, at(5.1))).toBe("");
  });
  it("is the deadband", () => {
    expect(backText(high, at(5.05))).toBe("value back, still in the deadband: clears below 5 m");
  });
  it("is the off-delay, and where the alarm goes then", () => {
    expect(backText(high, at(4.9))).toBe("value back, falls to H after 8 s");
    expect(backText(high, at(4.2))).toBe("value back, clears after 8 s");
  });
  it("is told of low limits likewise", () => {
    const low = alarm("l", { tag: "TK.level", group: "low", condition: "L", setpoint: 1, state: "UNACK" });
    expect(backText(low, at(0.9))).toBe("");
    expect(backText(low, at(1.05))).toBe("value back, still in the deadband: clears above 1.1 m");
    expect(backText(low, at(2))).toBe("value back, clears after 3 s");
  });
  it("is never guessed from a bad value, and not said of what has returned", () => {
    expect(backText(high, at(4.2, 0x82))).toBe("");
    expect(backText({ ...high, state: "RTN_UNACK", is_active: false, tier: "NONE" }, at(4.2))).toBe("");
  });
});

describe("an alarm in words", () => {
  it("keeps the highest tier of its episode when it has returned", () => {
    expect(shownTier(alarm("a", { state: "RTN_UNACK", is_active: false, tier: "NONE", tier_max: "RED" }))).toBe("RED");
    expect(shownTier(alarm("a", { state: "LATCHED", is_active: false, tier: "NONE", tier_max: "RED" }))).toBe("RED");
  });
  it("says what it was when it is milder now, and that it latches before it is acknowledged", () => {
    expect(stateText({ ...high, tier: "YELLOW", tier_max: "RED" }, true)).toBe("unacked, was Red");
    const low = alarm("l", { tag: "TK.level", group: "low", condition: "L", state: "UNACK" });
    expect(stateText(low)).toBe("unacknowledged, stays until reset");
    expect(stateText({ ...low, state: "RTN_UNACK", is_active: false, tier: "NONE" })).toBe("returned, unacknowledged, latched");
  });
  it("does not claim a rate, or missing data, that is over", () => {
    const rate = alarm("r", { tag: "TK.level", group: "rate", condition: "RATE", setpoint: 2, eu: "m" });
    const back = { state: "RTN_UNACK", is_active: false, tier: "NONE" } as const;
    expect(conditionText(rate)).toBe("rate of change ≥ 2 m/s");
    expect(conditionText({ ...rate, ...back })).toBe("rate back below 2 m/s");
    expect(conditionText({ ...rate, ...back, condition: "STALE", group: "stale" })).toBe("data are back");
    expect(conditionText({ ...rate, ...back, condition: "DEVIATION", group: "deviation", value: 1 })).toContain("no longer");
  });
});

describe("whose a task is", () => {
  it("is said by the post's title, not by its code", () => {
    plant.posts = { room: { en: "Control room", zh: "中控室" } };
    expect(["post:room", "post:gone", "leader", "person:li", "operator"].map(ownerWord)).toEqual(["Control room", "gone", "shift leader", "li", "operator"]);
    language.value = "zh";
    expect(["post:room", "leader", "operator"].map(ownerWord)).toEqual(["中控室", "带班领导", "操作员"]);
  });
});
