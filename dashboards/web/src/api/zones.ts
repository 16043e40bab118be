/** Answers of the doors of consequence zones. */
import type { Said } from "./types";

export interface ZoneInput {
  role: string;
  tag: string;
  value: number | null;
  eu: string;
  /** `live`, `fixed` by the configuration, `asked` by a person, `old` and taken all the same, `unknown`. */
  state: "live" | "fixed" | "asked" | "old" | "unknown";
  quality: string;
  time: string | null;
}

export interface ZonePeople {
  counted: { code: string; name: string; share: number; persons: number | null }[];
  neighbours: { code: string; name: string; distance_m: number; persons: number | null }[];
  unplaced: string[];
  persons: number;
  is_whole: boolean;
}

export interface ZoneLevel {
  name: string;
  value: number;
  eu: string;
  source: Said;
  distance_m: number | null;
  model: "gaussian" | "heavy";
  wind_m_s: number;
  stability: string;
  from_deg: number | null;
  doubts: Said[];
  unverified: Said[];
  is_valid: boolean;
  /** Longitude and latitude; empty where there is no area. */
  outline: [number, number][];
  people: ZonePeople;
}

export interface Distances {
  isolate_m: number;
  day_m: number | null;
  night_m: number | null;
}

export interface ZoneBody {
  zone: string;
  title: Said;
  unit: string;
  substance: { cas: string; en: string; zh: string };
  place: [number, number];
  time: string;
  hole_mm: number;
  asked: { hole_mm: number | null; wind_m_s: number | null; from_deg: number | null; since_ns: number };
  is_calm: boolean;
  inputs: ZoneInput[];
  weather: { wind_m_s: number; stability: string; from_deg: number | null }[];
  refused: Said | null;
  assumed: Said[];
  release: { basis: string; rate_kg_s: number; airborne_kg_s: number; airborne_kg: number; duration_s: number; flash: number; is_two_phase: boolean } | null;
  isolation: { un: string; source: Said; is_unverified: boolean; small: Distances; large: Distances } | null;
  levels: ZoneLevel[];
}

export interface ZoneAct {
  revision: number;
  level: string;
  what: "confirmed" | "withdrawn";
  who: string;
  reason: string;
  time: string;
}

export interface ZoneRevision {
  /** Null for one that no incident keeps. */
  number: number | null;
  incident?: number;
  who?: string;
  is_last?: boolean;
  acts?: ZoneAct[];
  confirmed?: ZoneAct | null;
  body: ZoneBody;
}

export interface ZoneBrief {
  number: number;
  zone: string;
  time: string;
  who: string;
  hole_mm: number;
  refused: Said | null;
  release: ZoneBody["release"];
  weather: ZoneBody["weather"];
  levels: { name: string; distance_m: number | null; is_valid: boolean }[];
}

export interface ZoneSource {
  id: string;
  title: Said;
  unit: string;
  substance: { cas: string; en: string; zh: string };
  phase: "liquid" | "gas";
  place: [number, number];
  hole_mm: number;
  inputs: ZoneInput[];
}

export interface ZoneSources {
  zones: ZoneSource[];
  cloud: { eighths: number; who: string; time: string; until: string } | null;
}

export interface IncidentZones {
  zones: ZoneRevision[];
  revisions: ZoneBrief[];
}
