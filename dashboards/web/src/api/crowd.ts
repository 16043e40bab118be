/** Crowd zones that are kept from filling, the actions for them, and public displays. */
import type { Said, Tier } from "./types";

export interface CrowdFlow {
  mean: number;
  low: number;
  high: number;
}

export interface CrowdZone {
  zone: string;
  name: string;
  is_there: boolean;
  tag: string;
  unit: string;
  tier: Tier;
  persons: number | null;
  known: string | null;
  is_doubtful: boolean;
  takes: number | null;
  percent: number | null;
  density: number | null;
  level: string | null;
  density_most: number;
  horizon_min: number;
  forecast: { net: CrowdFlow; came: CrowdFlow | null; went: CrowdFlow | null; likely_s: number | null; soonest_s: number | null; latest_s: number | null } | null;
  advice: { let_in_min: number; limit: string; room: number; leaves_min: number; empties_s: number | null; is_outflow_known: boolean } | null;
}

export interface CrowdProof {
  channel: string;
  state: string;
  attempts: number;
  delivered: string | null;
  status: number | null;
  receipt: string;
  error: string;
}

export interface CrowdAction {
  number: number;
  zone: string;
  name: string;
  unit: string;
  measure: string;
  title: Said;
  text: Partial<Said>;
  channel: string;
  tier: Tier;
  state: "offered" | "confirmed" | "declined" | "lapsed" | "ended";
  persons: number | null;
  takes: number | null;
  offered: string;
  decided: string | null;
  decided_by: string;
  ended: string | null;
  ended_by: string;
  incident: number;
  told: CrowdProof | null;
  untold: CrowdProof | null;
  /** Who carries it out: leader, post:ID, person:NAME. */
  who: string;
  /** Who was told; without a person nobody was there. */
  paged: { do: "offered" | "begin" | "end"; person: string; said: "told" | "page" | "nobody"; notice: CrowdProof | null }[];
}

export interface Crowd {
  time: string;
  zones: CrowdZone[];
  actions: CrowdAction[];
}

export interface PublicDisplay {
  id: string;
  title: string;
  zones: string[];
  made_by: string;
  made: string;
}

export interface Displayed {
  time: string;
  timezone: string;
  site: Said;
  title: string;
  nature: string;
  zones: {
    name: string;
    state: "unknown" | "open" | "busy" | "full";
    tier: Tier;
    persons: number | null;
    takes: number | null;
    percent: number | null;
    let_in_min: number | null;
    known: string | null;
    is_doubtful: boolean;
    actions: { measure: string; title: Said; text: Partial<Said> }[];
  }[];
}
