/** Every alarm with why it is there and what to do. */
import { get, send } from "./client";
import type { Checked, RuleInForce, Said } from "./types";

export const STATED = ["cause", "consequence", "response", "respond_min", "basis"] as const;
export type Stated = (typeof STATED)[number];

export interface ListedAlarm extends RuleInForce {
  response: Partial<Said>;
  cause: Partial<Said>;
  consequence: Partial<Said>;
  basis: Partial<Said>;
  /** Within how long the response works, min. */
  respond_min: number | null;
  missing: Stated[];
}

export interface AlarmList {
  revision: number;
  can_change: boolean;
  needs_approval: boolean;
  total: number;
  next: number | null;
  counts: { alarms: number; without: Record<Stated, number> };
  alarms: ListedAlarm[];
}

export interface LookedAtList {
  ok: boolean;
  revision: number;
  ticket: string | null;
  checked: Checked | null;
  rows: number;
  unchanged: number;
  changed: number;
  mistakes: { row: number; column: string; value: string; rule: Said; remedy: Said }[];
  mistakes_total: number;
}

export const readAlarmList = (asked: { q: string; unit: string; missing: string; no_data: string; offset: number }, signal: AbortSignal): Promise<AlarmList> =>
  get("alarm-list", { ...asked, limit: 200 }, signal);
export const lookAtList = (name: string, content: Blob): Promise<LookedAtList> => send("alarm-list/look", { name }, content);
