/** Answers of the door of reports. */
import type { HazardFigures } from "./hazards";
import type { Said } from "./types";

export interface Report {
  period: string;
  title: Said;
  from: string;
  to: string;
  is_over: boolean;
  is_whole: boolean;
  hazards: HazardFigures;
  lots: { lot: string; count: number; from: "register" | "hand"; missing: string[]; cases: string[] }[];
  disposals: { opened: number; done: number; in_time: number; rate: number | null; overdue: number; causes: Record<string, number>; by_tier: Record<string, number> };
  inspections: { done: number; missed: number; skipped: number; planned: number; rate: number | null };
  effect: { score: number | null; tasks: number | null; hazards: number | null; is_vetoed: boolean };
  patterns: { alarms: number; hours: number[]; shifts: Record<string, number>; shift_titles: Record<string, Said>; causes: Record<string, number>; units: { unit: string; alarms: number }[]; tiers: Record<string, number> };
  districts: { district: string; found: number; closed: number; major: number; overdue: number; rate: number | null }[];
}
