import type { Alarm } from "../src/api/types";

/** An acknowledged YELLOW alarm, changed as asked. */
export function makeAlarm(id: string, more: Partial<Alarm>): Alarm {
  return {
    id,
    key: `k-${id}`,
    nature: "test",
    tag: "",
    unit: "",
    group: "high",
    condition: "H",
    tier: "YELLOW",
    tier_max: "YELLOW",
    state: "ACKED",
    is_active: true,
    onset: "2026-01-01T00:00:00.000Z",
    changed: null,
    value: null,
    setpoint: null,
    eu: "",
    acked_by: "",
    acked: null,
    comment: "",
    suppression: "none",
    suppressed_until: null,
    suppressed_by: "",
    suppression_reason: "",
    response: {},
    ordinal: 1,
    ...more,
  };
}
