/** Declared stops and overhauls of devices. */
import { get, post } from "./client";
import type { SecondRequest } from "./quiet";
import type { Nature, Tier } from "./types";

/** Kinds that people declare; a ticket of the register is told by the gateway. */
export const KINDS = ["stopped", "overhaul"] as const;

export interface Stop {
  id: string;
  design: string;
  kind: (typeof KINDS)[number] | "ticket";
  state: "planned" | "running" | "overdue" | "ended" | "withdrawn";
  nature: Nature;
  unit: string;
  tags: string[];
  /** The whole unit, not some tags. */
  is_whole: boolean;
  covered: number;
  left: number;
  reason: string;
  permit: string;
  who: string;
  confirmed_by: string;
  declared: string;
  begins: string;
  ends: string;
  began: string | null;
  over_by: string;
  over: string | null;
  note: string;
  /** Of a ticket, the kind of its work. */
  work: string;
}

export interface Stops {
  stops: Stop[];
  total: number;
  overdue: number;
}

/** What a stop of a unit would keep quiet. */
export interface Effect {
  unit: string;
  covered: number;
  left: string[];
  tags: string[];
  days_most: number;
  needs_permit: boolean;
  tier_most: Tier;
}

export interface Answered {
  stop: Stop | null;
  request: SecondRequest | null;
}

const at = (id: string): string => `stops/${encodeURIComponent(id)}`;
export const readStops = (state: "open" | "over", unit: string | undefined, signal?: AbortSignal): Promise<Stops> => get("stops", unit === undefined ? { state } : { state, unit }, signal);
export const lookAtStop = (unit: string, signal?: AbortSignal): Promise<Effect> => get("stops/look", { unit }, signal);
export const declareStop = (body: Record<string, unknown>): Promise<Answered> => post("stops", body);
export const extendStop = (id: string, body: Record<string, unknown>): Promise<Answered> => post(`${at(id)}/extend`, body);
export const resumeStop = (id: string, reason: string): Promise<Answered> => post(`${at(id)}/resume`, { reason });
