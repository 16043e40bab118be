/** What the gateway says of drills, field for field. */
import type { Said, Tier } from "./types";

/** What the banner of every page says of the drill that goes on. */
export interface DrillBrief {
  number: number;
  state: "running" | "paused";
  title: Said;
  begun: string;
  begun_by: string;
  why: string;
}

export interface DrillStory {
  name: string;
  title: Said;
  plant: string;
  lasts_s: number;
  own: boolean;
  missing: string[];
  mistake: Said | null;
  playable: boolean;
}

export interface Expected {
  id: string;
  see: "alarm" | "tier" | "quiet" | "notice";
  say: Said;
  standing: "waiting" | "met" | "missed";
  seen_s: number | null;
  why: Said;
}

export interface Pause {
  from: string;
  to: string | null;
  by: string;
  why: string;
}

export interface Drill {
  number: number;
  state: "running" | "paused" | "finished" | "stopped" | "broken_off";
  story: string;
  title: Said;
  plant: string;
  seed: number;
  revision: number;
  begun: string;
  begun_by: string;
  reason: string;
  ended: string | null;
  ended_by: string;
  ended_why: string;
  pauses: Pause[];
  verdict: { expectations?: Expected[]; milestones?: Record<string, number>; played_s?: number; left_out?: { rules: number; notices: number } };
  passed: boolean | null;
  plan: { code: string; title: string; revision: number } | null;
  evaluation: { text: string; by: string; at: string } | null;
}

export interface DrillAlarm {
  id: string;
  unit: string;
  tag: string;
  condition: string;
  tier: Tier;
  raised: string;
  acked: string | null;
  acked_by: string;
  acked_after_s: number | null;
  ended: string | null;
}

export interface DrillGoing extends Drill {
  at_s: number;
  lasts_s: number;
  happened: { at_s: number; say: Said }[];
  expectations: Expected[];
  milestones: Record<string, number>;
  alarms: DrillAlarm[];
  score: DrillScore | null;
}

export interface DrillCurrent {
  drill: DrillGoing | null;
  refused_from: Tier;
  pauses_from: Tier;
}

export interface DrillRecord extends Drill {
  alarms: DrillAlarm[];
  timeline: { id: string; time: string; event: string; unit: string; tag: string; condition: string; tier: Tier; value: number | null; who: string; reason: string }[];
  notices: { destination: string; action: string; tier: Tier; state: string; created: string; delivered: string | null; last_error: string }[];
  score: DrillScore | null;
  lessons: Improvement[];
}

export type Mark = "in_time" | "late" | "skipped" | "unreached" | "void";

export interface DrillStep {
  id: string;
  title: string;
  owner: string;
  owners: string[];
  answers: string[];
  limit_s: number;
  stand: "waiting" | "open" | "done" | "void";
  mark: Mark;
  begun_s: number | null;
  due_s: number;
  took_s: number | null;
  by: string;
  answer: string;
  note: string;
  is_nobody_there: boolean;
}

/** How the plan of a drill was gone through; seconds since it opened, without pauses. */
export interface DrillScore {
  plan: { code: string; title: string; revision: number; unit: string; condition: string; tier: Tier };
  opened: string | null;
  elapsed_s: number | null;
  acknowledged: { alarm: string; unit: string; tag: string; condition: string; tier: Tier; rang: string; after_s: number | null; target_s: number | null; mark: Mark; by: string }[];
  first_action_s: number | null;
  first_action_target_s: number;
  complete_s: number | null;
  complete_target_s: number;
  percent: number | null;
  counts: Record<Mark, number>;
  kept: boolean | null;
  people: string[];
  steps: DrillStep[];
}

export interface Improvement {
  id: string;
  code: string;
  title: string;
  responsible: string;
  due: string;
  state: string;
}
