/** Duties as the API gives them. */
import type { Said } from "./types";

export type DutyStep = "coming" | "prompt" | "warning" | "supervision";

export interface DutyTold {
  what: "prompt" | "warning" | "supervision" | "answer";
  number: number;
  planned: string;
  time: string;
  said: "told" | "passed" | "nobody" | "page" | "answer";
  to: string;
  person: string;
  channel: string;
  notice: string;
  text: string;
}

export interface Duty {
  id: string;
  kind: string;
  title: Said;
  basis: Said;
  is_unverified: boolean;
  ledger: string;
  subject: string;
  code: string;
  about: string;
  unit: string;
  nature: string;
  holder: string;
  holder_said: Said;
  day: string | null;
  due: string | null;
  overdue_days: number;
  state: "open" | "done" | "moved" | "gone";
  step: DutyStep;
  times: number;
  next: string | null;
  opened: string;
  closed: string | null;
  is_by_weekday: boolean;
  told?: DutyTold[];
}

export interface Duties {
  duties: Duty[];
  counts: Record<DutyStep, number>;
  next: string | null;
}

export interface DutyKind {
  id: string;
  title: Said;
  basis: Said;
  is_unverified: boolean;
  ledger: string;
  lead_days: number | null;
  grace_days: number | null;
  grace_minutes: number | null;
  repeat_days: number;
  counts: "workdays" | "all";
  to: Record<"prompt" | "warning" | "supervision", string[]>;
  is_on: boolean;
}

export interface DutyTable {
  kinds: DutyKind[];
  channel: string;
  told_at: string;
  ack_minutes: Record<string, number>;
}
