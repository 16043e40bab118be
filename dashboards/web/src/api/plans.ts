/** Answers of the doors of emergency plans. */
import type { LedgerRecord } from "./register";
import type { Said } from "./types";

export interface PlanStep {
  id: string;
  title: string;
  owner: string;
  minutes: number;
  needs: { step: string; answer: string }[][];
  answers: string[];
}

export interface EmergencyPlan extends LedgerRecord {
  steps: PlanStep[];
  restart: PlanStep[];
  /** Its day is over. */
  is_past: boolean;
}

export interface PlanBook {
  plans: EmergencyPlan[];
  cards: LedgerRecord[];
}

export interface Matched {
  unit: string;
  tier: string;
  conditions: string[];
  substances: Record<string, number>;
  fits: { code: string; name: string; reasons: Said[] }[];
  others: { code: string; name: string; why: Said }[];
  cards: LedgerRecord[];
}
