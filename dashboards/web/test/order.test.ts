import { describe, expect, it } from "vitest";
import { compare } from "../src/alarms/order";
import { makeAlarm as alarm } from "./alarm";

describe("the order of the alarm list", () => {
  it("is unacknowledged, tier, newest, and suppressed last", () => {
    const listed = [
      alarm("shelved", { suppression: "shelved", tier: "RED", state: "UNACK" }),
      alarm("acked red", { tier: "RED" }),
      alarm("old yellow", { state: "UNACK" }),
      alarm("new yellow", { state: "UNACK", onset: "2026-01-01T00:00:05.000Z" }),
      alarm("returned orange", { state: "RTN_UNACK", tier: "NONE", tier_max: "ORANGE" }),
    ];
    expect(listed.sort(compare).map((one) => one.id)).toEqual(["returned orange", "new yellow", "old yellow", "acked red", "shelved"]);
  });
});
