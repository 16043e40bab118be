/** How many persons the crowd zones take. */
import type { Said } from "./types";

export interface Capacity {
  formula: Said;
  is_whole: boolean;
  at_once: number;
  in_day: number;
  zones: {
    id: string;
    code: string;
    name: string;
    at_once: number;
    in_force: number;
    event: { id: string; code: string; said: Said } | null;
    in_day: number;
    limited_by: Said;
    steps: string[];
    basis: string;
    live: number | null;
    share_pct: number | null;
  }[];
  findings: Said[];
}
