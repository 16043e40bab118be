import { describe, expect, it } from "vitest";
import { endedOf, inOrder } from "../src/alarms/ended";
import { makeEvent as event } from "./alarm";

describe("alarms that ended", () => {
  const story = [
    event("raised", "08:00:00"),
    event("escalated", "08:01:00", { tier: "RED", condition: "HH" }),
    event("acknowledged", "08:02:00", { tier: "RED", cause: { who: "zhang.min", reason: "seen on site" } }),
    event("cleared", "08:05:00", { tier: "NONE" }),
  ];
  // The API gives the last committed first.
  const read = [...story].reverse();

  it("are told with their highest tier, their span, and who acknowledged with which comment", () => {
    expect(endedOf(read)).toMatchObject([{ id: "a", tier_max: "RED", condition: "HH", raised: story[0]!.time, cleared: story[3]!.time, acked_by: "zhang.min", comment: "seen on site" }]);
  });

  it("are not those that still ring, nor changes of units", () => {
    expect(endedOf(read.filter((one) => one.event !== "cleared"))).toEqual([]);
    expect(endedOf([event("unit_lowered", "08:00:00", { alarm: "" })])).toEqual([]);
  });

  it("have no beginning where that lies before what was read, and the last ended is first", () => {
    const found = endedOf([event("cleared", "09:00:00", { alarm: "b" }), ...read]);
    expect(found.map((one) => [one.id, one.raised === null])).toEqual([["b", true], ["a", false]]);
  });

  it("tell what happened in one moment in the order in which it was committed", () => {
    const both = [event("acknowledged", "08:02:00"), event("cleared", "08:02:00")];
    expect(inOrder([...both].reverse())).toEqual(both);
  });
});
