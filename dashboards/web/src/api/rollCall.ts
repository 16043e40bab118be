/** Answers of the doors of the roll-call. */
import type { Said } from "./types";

export type Heard = "missing" | "safe" | "help" | "left";

export interface Heads {
  zones: { code: string; name: string; unit: string; persons: number | null; time: string | null }[];
  /** Of the zones whose count is known; null where none is. */
  persons: number | null;
  is_whole: boolean;
}

export interface RollPerson {
  place: number;
  name: string;
  company: string;
  source: "access" | "hand" | "duty" | "ticket";
  of: string;
  state: Heard;
  /** Known to be inside, and not heard of. */
  is_missing: boolean;
  point: string;
  note: string;
  time: string | null;
  by: string;
}

export interface Roll {
  number: number;
  /** Empty: the whole site. */
  unit: string;
  begun: string;
  begun_by: string;
  ended: string | null;
  ended_by: string;
  overdue: string | null;
  /** What the counters said when it began. */
  heads: Heads;
  figures: { inside: number; safe: number; help: number; left: number; missing: number; expected: number; unheard: number };
  counts: { point: string; persons: number; note: string; by: string; time: string }[];
  persons: RollPerson[];
}

export interface RollCall {
  points: { id: string; title: Said; place: [number, number] | null; inside: string[] }[];
  systems: { system: string; time: string; persons: number; by: string; is_stale: boolean }[];
  tickets: { code: string; title: string; place: string; guardian: string; contractor: string }[];
  rolls: number;
  roll: Roll | null;
  /** What the counters say now. */
  heads: Heads;
}
