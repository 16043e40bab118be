/** Handovers and call checks as the gateway tells them. */
import type { Said, Tier } from "./types";

export interface HandedAlarm {
  alarm: string;
  unit: string;
  tag: string;
  condition: string;
  tier: Tier;
  state: string;
  since: string | null;
  acked_by: string;
  comment: string;
  suppression?: string;
  until?: string | null;
  by?: string;
  reason?: string;
  permit?: string;
}
interface List<T> {
  count: number;
  rows: T[];
}
export const ALARM_LISTS = ["unacked", "standing", "active", "shelved", "suppressed"] as const;
export type AlarmList = (typeof ALARM_LISTS)[number];
export type HandoverContent = Record<AlarmList, List<HandedAlarm>> & {
  as_of: string;
  on_duty: { post: string; title?: Said; person: string }[];
  /** Missing in what was signed before there were any. */
  disposals?: List<{ alarm: string; unit: string; tag: string; condition: string; tier: Tier; due: string; is_overdue: boolean }>;
  stops?: List<{ stop: string; unit: string; kind: string; state: string; until: string; by: string; reason: string; permit: string }>;
  tickets?: List<{ permit: string; title: string; unit: string; place: string; kind: Said; stage: Said; until: string; is_over: boolean; guardian: string }>;
  tasks: List<{ unit: string; title: Said; owner: string; due: string }>;
  checkouts: List<{ tag: string; by: string; until: string; reason: string }>;
  calls: List<{ alarm: string; unit: string; plan: string; stand: string }>;
};
export interface Handover {
  number: number;
  post: string;
  state: "waiting" | "signed" | "refused" | "withdrawn";
  giver: string;
  taker: string;
  given: string;
  closed: string | null;
  notes: string;
  remark: string;
  digest: string;
}
export interface CallCheck {
  number: number;
  by: string;
  asked: string;
  until: string;
  reason: string;
  people: { person: string; post: string; state: "waiting" | "here" | "late" | "missing"; answered: string | null }[];
}
