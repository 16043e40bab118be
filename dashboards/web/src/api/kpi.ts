import type { Said } from "./types";

/** Figures of the alarm system as the gateway tells them. */
export interface KpiTarget {
  figure: string;
  value: number | null;
  most: number;
  is_strict: boolean;
  source: string;
  is_verified: boolean;
  is_met: boolean | null;
}
/** An alarm that chatters or is fleeting, with what would have spared activations. */
export interface Nuisance {
  key: string;
  tag: string;
  unit: string;
  group: string;
  rule: string;
  activations: number;
  chattering: number;
  fleeting: number;
  advice: { field: "deadband" | "off_delay_s" | "on_delay_s" | "review"; now: number | null; proposed: number | null; spares: number | null; reason: Said }[];
}
export interface Nuisances {
  from: string;
  to: string;
  nuisances: Nuisance[];
}
export interface KpiFigures {
  /** How far the alarm list is filled in. */
  stated: { alarms: number; without: Record<string, number> };
  from: string;
  to: string;
  nature: string;
  /** The shift that the figures are of, where the plant has an order of shifts. */
  shift: { id: string; title: Said } | null;
  alarms: number;
  targets: KpiTarget[];
  floods: number;
  standing: number;
  chattering: number;
  fleeting: number;
  by_tier: Record<string, number>;
  periods: number[];
  hours: number[];
  top: { tag: string; unit: string; group: string; count: number; share: number }[];
  answers: Record<string, { acknowledged: number; never: number; median_s: number | null; p90_s: number | null; longest_s: number | null }>;
  quiet: Record<string, number>;
}
