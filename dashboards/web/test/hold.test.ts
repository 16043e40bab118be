import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { computed, effectScope, type EffectScope } from "vue";
import { alarmsOf, compare, useHeldOrder, type Held } from "../src/alarms/order";
import type { Alarm } from "../src/api/types";
import { alarms } from "../src/live/picture";
import { makeAlarm } from "./alarm";

function show(...listed: Alarm[]): void {
  alarms.value = new Map(listed.map((alarm) => [alarm.id, alarm]));
}

describe("a list under a person's pointer", () => {
  let scope: EffectScope;
  let held: Held;
  beforeEach(() => {
    vi.useFakeTimers();
    scope = effectScope();
    scope.run(() => {
      held = useHeldOrder(
        computed(() => [...alarms.value.values()].sort(compare)),
        1_000,
      );
    });
  });
  afterEach(() => {
    scope.stop();
    vi.useRealTimers();
  });
  const rows = (): Alarm[] => held.entries.value.flatMap(alarmsOf);
  const ids = (): string[] => rows().map((alarm) => alarm.id);

  it("keeps each row in its place while its content changes", () => {
    show(makeAlarm("a", { state: "UNACK" }), makeAlarm("b", { state: "UNACK", tier: "BLUE" }));
    held.touch();
    show(makeAlarm("a", { state: "ACKED" }), makeAlarm("b", { state: "UNACK", tier: "RED" }));
    expect(ids()).toEqual(["a", "b"]);
    expect(rows().map((alarm) => alarm.state)).toEqual(["ACKED", "UNACK"]);
    held.release();
    expect(ids()).toEqual(["b", "a"]);
  });

  it("counts new alarms at once, and keeps the row of one that has gone", () => {
    show(makeAlarm("a", {}));
    held.touch();
    show(makeAlarm("new", { tier: "RED", state: "UNACK" }));
    expect(held.fresh.value.map((alarm) => alarm.id)).toEqual(["new"]);
    expect(rows().map((alarm) => [alarm.id, alarm.state])).toEqual([["a", "NORMAL"]]);
  });

  it("lets go by itself when the pointer stays still", () => {
    show(makeAlarm("a", {}));
    held.touch();
    show(makeAlarm("a", {}), makeAlarm("new", { tier: "RED", state: "UNACK" }));
    vi.advanceTimersByTime(900);
    held.touch();
    vi.advanceTimersByTime(900);
    expect(ids()).toEqual(["a"]);
    vi.advanceTimersByTime(200);
    expect(ids()).toEqual(["new", "a"]);
  });
});
