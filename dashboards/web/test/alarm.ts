import type { Alarm, AlarmEvent, Limit, Tag } from "../src/api/types";
import { plant } from "../src/live/picture";

/** An acknowledged YELLOW alarm, changed as asked. */
export function makeAlarm(id: string, more: Partial<Alarm>): Alarm {
  return {
    id,
    key: `k-${id}`,
    nature: "test",
    tag: "",
    unit: "",
    group: "high",
    rule: "",
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
    suppressed: null,
    design: null,
    permit: "",
    service_hours_max: 744,
    needs_permit: false,
    silenced_by: "",
    silenced: null,
    is_one_shot: false,
    shelf_minutes_max: 480,
    rationale: null,
  response: {},
    ordinal: 1,
    ...more,
  };
}

export function makeLimit(kind: string, setpoint: number, more: Partial<Limit> = {}): Limit {
  return { rule: kind, kind, setpoint, deadband: 0, on_delay_s: 0, off_delay_s: 0, tier: "YELLOW", ...more };
}

/** A tag in m from 0 to 10 to the centimetre, of the unit TK. */
export function makeTag(name: string, more: Partial<Tag> = {}): Tag {
  return { row: 0, name, title: {}, unit: "TK", source: "plc", eu: "m", kind: "level", range_lo: 0, range_hi: 10, resolution: 0.01, period_s: 1, nature: "test", limits: [],
    derived: null, ...more };
}

export function know(...tags: Tag[]): void {
  plant.tags = tags;
  plant.tagOf = new Map(tags.map((tag) => [tag.name, tag]));
}

let counter = 0;

export function makeEvent(event: string, time: string, more: Partial<AlarmEvent> = {}): AlarmEvent {
  counter += 1;
  return { id: `e${counter}`, event, time: `2026-01-01T${time}.000Z`, nature: "test", unit: "TK", alarm: "a", tag: "TK.level", condition: "H", tier: "YELLOW", state: "", value: 5, setpoint: 4, ...more };
}
