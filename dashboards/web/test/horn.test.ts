import { beforeAll, describe, expect, it } from "vitest";
import type { Alarm } from "../src/api/types";

let horn: typeof import("../src/horn");
beforeAll(async () => {
  const kept = new Map<string, string>();
  globalThis.localStorage = { getItem: (name: string) => kept.get(name) ?? null, setItem: (name: string, value: string) => void kept.set(name, value) } as unknown as Storage;
  horn = await import("../src/horn");
});

function alarm(more: Partial<Alarm> = {}): Alarm {
  return { id: "1", key: "k", tier: "RED", tier_max: "RED", state: "UNACK", suppression: "none", raised: "2026-01-01T00:00:00.000Z", ...more } as Alarm;
}
const worst = (...all: Alarm[]) => horn.worstOf(all, new Set());

describe("the horn", () => {
  it("is for the gravest alone in a flood", async () => {
    const { status } = await import("../src/live/picture");
    status.value = { flood: { id: "f" } } as never;
    expect([horn.calm("low"), horn.calm("middle"), horn.calm("high")]).toEqual([null, "middle", "high"]);
    status.value = null;
    expect(horn.calm("low")).toBe("low");
  });

  it("sounds as the worst unanswered alarm asks", () => {
    expect(worst(alarm({ tier: "YELLOW" }), alarm({ tier: "RED" }), alarm({ tier: "ORANGE" }))).toBe("high");
    expect(worst(alarm({ tier: "YELLOW" }), alarm({ tier: "ORANGE" }))).toBe("middle");
    expect(worst(alarm({ tier: "YELLOW" }))).toBe("low");
  });

  it("leaves blue, answered and suppressed ones to the eye", () => {
    expect(worst(alarm({ tier: "BLUE" }))).toBeNull();
    expect(worst(alarm({ state: "ACKED" }))).toBeNull();
    expect(worst(alarm({ nature: "exercise" }))).toBeNull();
    for (const suppression of ["shelved", "by_design", "out_of_service"] as const) expect(worst(alarm({ suppression }))).toBeNull();
  });

  it("is quiet at every screen for what somebody silenced", () => {
    expect(worst(alarm({ silenced: "2026-01-01T00:01:00.000Z", silenced_by: "li" }))).toBeNull();
    expect(worst(alarm({ silenced: "2026-01-01T00:01:00.000Z" }), alarm({ tier: "ORANGE", silenced: null }))).toBe("middle");
  });

  it("goes on for a serious alarm that returned unanswered", () => {
    expect(worst(alarm({ state: "RTN_UNACK", tier: "NONE", tier_max: "ORANGE" }))).toBe("middle");
    expect(worst(alarm({ state: "RTN_UNACK", tier: "NONE", tier_max: "YELLOW" }))).toBeNull();
  });

  it("is silenced for what rings now, and no longer", () => {
    const silenced = new Set([horn.soundingOf(alarm({ tier: "ORANGE", tier_max: "ORANGE" }))]);
    expect(horn.worstOf([alarm({ tier: "ORANGE", tier_max: "ORANGE" })], silenced)).toBeNull();
    expect(horn.worstOf([alarm({ tier: "RED", tier_max: "RED" })], silenced)).toBe("high");
    expect(horn.worstOf([alarm({ tier: "ORANGE", tier_max: "ORANGE", raised: "2026-01-01T00:05:00.000Z" })], silenced)).toBe("middle");
    expect(horn.worstOf([alarm({ id: "2", tier: "ORANGE", tier_max: "ORANGE" })], silenced)).toBe("middle");
  });
});
