/** Answers of the doors of risks. */
import type { Said } from "./types";

/** 1 major (red) to 4 low (blue); 0 for not graded. */
export type Grade = 0 | 1 | 2 | 3 | 4;

export interface Graded {
  grade: Grade;
  event: string;
  value: number | null;
  method: string;
}

export interface RiskUnit {
  id: string;
  code: string;
  name: string;
  place: string;
  department: string;
  liable: string;
  phone: string;
  dossier: string;
  site_unit: string;
  inherent: Graded;
  current: Graded;
  dynamic: { grade: Grade; steps: { what: string; steps: number; said: Said }[] };
  events: number;
  measures: number;
  /** Longitude and latitude, WGS 84. */
  outline: [number, number][];
}

/** The picture below the outlines; its corners as longitude and latitude: top left, top right, bottom left. */
export interface SitePlan {
  digest: string;
  width: number;
  height: number;
  corners: [[number, number], [number, number], [number, number]];
}

export interface Risks {
  bounds: { lec: number[]; matrix: number[]; is_lower_in: boolean };
  formula: Said;
  plan: SitePlan | null;
  units: RiskUnit[];
  counts: Record<string, number>;
  findings: { what: string; said: Said }[];
  is_whole: boolean;
}

export interface RiskNotice {
  unit: { code: string; name: string; department: string; liable: string; phone: string; post: string };
  grade: Grade;
  events: { code: string; name: string; accident: string; consequences: string; emergency: string; grade: string; grade_inherent: string; measures: string[] }[];
}

export interface Grading {
  revision: number;
  time: string;
  who: string;
  reason: string;
  method: string;
  likelihood_inherent: number;
  exposure_inherent: number | null;
  severity_inherent: number;
  risk_inherent: number;
  grade_inherent: string;
  likelihood: number;
  exposure: number | null;
  severity: number;
  risk: number;
  grade: string;
  graded_on: string;
  graded_by: string;
}
