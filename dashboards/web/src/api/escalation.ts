/** Escalations as the gateway tells them. */
import type { Receipt, Tier } from "./types";

export interface PlanStep {
  to: string;
  channel: string;
  wait_s: number;
}
export interface EscalationPlan {
  id: string;
  tiers: Tier[];
  units: string[];
  schedule: string | null;
  after_s: number;
  rounds: number;
  remind_s: number;
  steps: (PlanStep & { now: string[] })[];
}
export interface Ladder {
  alarm: string;
  alarm_key: string;
  unit: string;
  tier: Tier;
  plan: string;
  stand: "climbing" | "reminding" | "ended" | "exhausted";
  round: number;
  step: number;
  next: string | null;
  changed: string;
  why: string;
}
export interface Escalation {
  plans: EscalationPlan[];
  channels: string[];
  ladders: Ladder[];
}
export interface AlarmCall {
  time: string;
  what: "call" | "reminder" | "nobody" | "exhausted";
  to: string;
  person: string;
  channel: string;
  round: number;
  step: number;
  state: string | null;
  delivered: string | null;
  last_error: string;
  receipt: Receipt | null;
  /** Channels that took it over, one after the other. */
  moved: { channel: string; state: string; delivered: string | null; last_error: string; receipt: Receipt | null }[];
}
export interface CallsOfAlarm {
  ladder: (Ladder & { steps: PlanStep[]; rounds: number }) | null;
  calls: AlarmCall[];
}
