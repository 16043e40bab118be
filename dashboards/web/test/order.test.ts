import { beforeEach, describe, expect, it } from "vitest";
import { compare, entryKey, fold, isFold, keyTag, leading, unfold } from "../src/alarms/order";
import type { Alarm } from "../src/api/types";
import { makeAlarm as alarm, know, makeLimit, makeTag } from "./alarm";

beforeEach(() => know());
const ids = (listed: readonly Alarm[]): string[] => listed.map((one) => one.id);

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

  it("puts what is real above a drill, however grave", () => {
    const listed = [alarm("drilled", { tier: "RED", state: "UNACK", nature: "exercise" }), alarm("real", { tier: "BLUE", state: "ACKED" })];
    expect(ids(listed.sort(compare))).toEqual(["real", "drilled"]);
    expect(leading([alarm("drilled", { tier: "RED", state: "UNACK", nature: "exercise" })])).toBeUndefined();
  });

  it("goes by the last trip or rise, not by the onset of the episode", () => {
    const listed = [
      alarm("fresh episode", { onset: "2026-01-01T10:00:00.000Z", raised: "2026-01-01T10:00:00.000Z" }),
      alarm("rang again", { onset: "2026-01-01T08:00:00.000Z", raised: "2026-01-01T11:00:00.000Z" }),
    ];
    expect(ids(listed.sort(compare))).toEqual(["rang again", "fresh episode"]);
  });

  it("puts the plant before missing data of the same tier, however new", () => {
    const late = "2026-01-01T12:00:00.000Z";
    const listed = [
      alarm("stale", { state: "UNACK", tier: "BLUE", group: "stale", raised: late }),
      alarm("bad", { state: "UNACK", tier: "BLUE", group: "bad", raised: late }),
      alarm("rate", { state: "UNACK", tier: "BLUE", group: "rate", raised: "2026-01-01T09:00:00.000Z" }),
      alarm("red", { state: "UNACK", tier: "RED", raised: "2026-01-01T01:00:00.000Z" }),
    ];
    expect(ids(listed.sort(compare)).slice(0, 2)).toEqual(["red", "rate"]);
  });
});

describe("what a unit's tile is about", () => {
  const high = [makeLimit("H", 4)];
  const tags = [makeTag("first", { limits: high }), makeTag("east", { limits: high }), makeTag("west", { limits: high })];

  it("is the highest active alarm, also when a higher one has returned", () => {
    const listed = [alarm("r", { tag: "west", state: "RTN_UNACK", is_active: false, tier: "NONE", tier_max: "RED" }), alarm("o", { tag: "east", tier: "ORANGE" })];
    expect(leading(listed)?.id).toBe("o");
    expect(keyTag(tags, listed)?.name).toBe("east");
  });

  it("is the worst that returned when none is active, the newest of equals", () => {
    const back = { state: "RTN_UNACK", is_active: false, tier: "NONE" } as const;
    const listed = [
      alarm("y", { ...back, tag: "first", tier_max: "YELLOW", raised: "2026-01-01T09:00:00.000Z" }),
      alarm("old", { ...back, tag: "west", tier_max: "RED", raised: "2026-01-01T01:00:00.000Z" }),
      alarm("new", { ...back, tag: "east", tier_max: "RED", raised: "2026-01-01T02:00:00.000Z" }),
    ];
    expect(keyTag(tags, listed)?.name).toBe("east");
  });

  it("stays the usual one where a whole source is silent", () => {
    const silent = { group: "stale", condition: "STALE", tier: "BLUE", state: "UNACK" } as const;
    const listed = [alarm("w", { ...silent, tag: "west", raised: "2026-01-01T09:00:00.000Z" }), alarm("f", { ...silent, tag: "first" })];
    expect(keyTag(tags, listed)?.name).toBe("first");
    expect(keyTag(tags, listed.slice(0, 1))?.name).toBe("west");
  });

  it("is the first tag with limits when nothing rings, or only what is shelved", () => {
    expect(keyTag([makeTag("plain"), ...tags], [])?.name).toBe("first");
    expect(keyTag([makeTag("plain"), ...tags], [alarm("s", { tag: "west", suppression: "shelved", tier: "RED" })])?.name).toBe("first");
  });
});

describe("many tags of one source without data", () => {
  const silent = (name: string, more: Partial<Alarm> = {}): Alarm => alarm(name, { tag: name, group: "stale", condition: "STALE", tier: "BLUE", state: "UNACK", ...more });
  beforeEach(() => know(...["g1", "g2", "g3", "g4", "g5"].map((name) => makeTag(name, { source: "gas" })), makeTag("t1", { source: "tanks" })));

  it("are one row from four on, each alarm in it once, in the place of the first", () => {
    const listed = [alarm("red", { tag: "t1", tier: "RED", state: "UNACK" }), ...["g1", "g2", "g3", "g4"].map((name) => silent(name)), silent("t1"), alarm("acked", {})].sort(compare);
    const entries = fold(listed);
    const folded = entries.find(isFold);
    expect(folded?.source).toBe("gas");
    expect(ids(folded?.alarms ?? []).sort()).toEqual(["g1", "g2", "g3", "g4"]);
    expect(entries.map((entry) => (isFold(entry) ? "fold" : entry.id))).toEqual(["red", "fold", "t1", "acked"]);
    expect(unfold(entries, (key) => key === folded?.key)).toHaveLength(8);
    expect(unfold(entries, () => false).map(entryKey)).toHaveLength(4);
  });

  it("stay single below four, and one of a higher tier or shelved is never folded away", () => {
    const listed = [silent("g1"), silent("g2"), silent("g3"), silent("g4", { tier: "ORANGE" }), silent("g5", { suppression: "shelved" })];
    expect(fold(listed).some(isFold)).toBe(false);
  });
});

describe("in a flood", () => {
  const many = (tier: "RED" | "ORANGE" | "YELLOW" | "BLUE", unit: string, count: number) => Array.from({ length: count }, (_, n) => alarm(`${tier} ${unit} ${n}`, { tier, unit, state: "UNACK" }));

  it("lighter alarms are one row a unit and tier, and the gravest are rows of their own", () => {
    const listed = [...many("RED", "A", 5), ...many("ORANGE", "A", 5), ...many("YELLOW", "A", 6), ...many("YELLOW", "B", 4), ...many("BLUE", "A", 4)].sort(compare);
    const entries = fold(listed, true);
    expect(entries.filter((entry) => !isFold(entry))).toHaveLength(10);
    expect(entries.filter(isFold).map((entry) => [entry.unit, entry.tier, entry.alarms.length])).toEqual([
      ["A", "YELLOW", 6],
      ["B", "YELLOW", 4],
      ["A", "BLUE", 4],
    ]);
    expect(unfold(entries, () => true).filter((entry) => !isFold(entry))).toHaveLength(listed.length);
    expect(fold(listed, false)).toHaveLength(listed.length);
  });

  it("what is suppressed, and what is few, stays as it is", () => {
    const listed = [...many("YELLOW", "A", 3), ...many("BLUE", "B", 5).map((one) => ({ ...one, suppression: "shelved" as const }))].sort(compare);
    expect(fold(listed, true).filter(isFold)).toEqual([]);
  });
});
