/** What the gateway says of runs for testers, field for field. */
import type { Expected } from "./drills";
import type { Said, Tier } from "./types";

export type RunState = "starting" | "running" | "done" | "stopped" | "failed";

export interface RunBrief {
  number: number;
  story: string;
  title: Said;
  seed: number;
  speed: number;
  state: RunState;
  passed: boolean | null;
  begun: string;
  begun_by: string;
  ended: string | null;
  why: string;
  at_s: number;
  lasts_s: number;
}

export interface RunFault {
  kind: string;
  target: string;
  from_s: number;
  until_s: number | null;
  amount: number;
}

export interface RunWhole extends RunBrief {
  instruments: { tag: string; title: Said; eu: string; range: [number | null, number | null] }[];
  sources: string[];
  milestone_titles: Record<string, Said>;
  faults: RunFault[];
  expectations: Expected[];
  milestones: Record<string, number>;
  events: { at_s: number; event: string; unit: string; tag: string; condition: string; tier: Tier }[];
  events_total: number;
  pace: number | null;
}

export interface FaultKind {
  kind: string;
  of: "tag" | "source";
  takes_amount: boolean;
  least: number | null;
  most: number | null;
}

export interface RunList {
  runs: RunBrief[];
  stories: { name: string; title: Said; plant: string; lasts_s: number; own: boolean; mistake: Said | null }[];
  faults: FaultKind[];
}
