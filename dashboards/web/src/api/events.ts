/** Large events that run, are to come or wait for their filing, and what each replaces. */
import type { Said } from "./types";

export interface Events {
  is_whole: boolean;
  now: string;
  events: {
    id: string;
    code: string;
    name: string;
    stand: "planned" | "coming" | "running" | "over";
    from: string;
    until: string;
    approved: number;
    filing_number: string;
    roster: string;
    escalation: string;
    zones: { code: string; name: string; at_once: number; takes: number; live: number | null }[];
  }[];
  findings: Said[];
}
