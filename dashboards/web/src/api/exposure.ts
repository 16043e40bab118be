/** Occupational hazards: rates of a period, and points with what is measured there. */
import type { Said } from "./types";

export interface ExposureRates {
  due: number;
  sampled: number;
  beyond: number;
  samples: number;
  within: number;
  coverage_pct: number | null;
  pass_pct: number | null;
}

export interface ExposureKind {
  kind: string;
  limit: number;
  tag: string;
  live: number | null;
  live_pct: number | null;
  value: number | null;
  is_below: boolean;
  verdict: string;
}

export interface Exposure {
  period: string;
  formula: Said;
  from: string;
  until: string;
  is_over: boolean;
  is_whole: boolean;
  count: number;
  total: ExposureRates;
  units: (ExposureRates & { unit: string })[];
  factors: (ExposureRates & { factor: string })[];
  missing: { id: string; code: string; place: string }[];
  points: {
    id: string;
    code: string;
    place: string;
    unit: string;
    factor: string;
    cas: string;
    eu: string;
    posts: string;
    sign: boolean;
    last_on: string;
    next_due: string;
    kinds: ExposureKind[];
  }[];
  findings: Said[];
}
