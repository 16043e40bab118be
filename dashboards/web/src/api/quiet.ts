/** What is quiet by design, and what waits for a second person. */
import { get, post } from "./client";
import type { Said, Tier } from "./types";

export interface DesignSuppression {
  id: string;
  reason: Said;
  when: string;
  units: string[];
  tags: string[];
  groups: string[];
  tier_most: Tier;
  /** Whether the state holds now. */
  holds: boolean;
  covered: number;
  suppressed: number;
  active: number;
}

export interface SecondRequest {
  id: string;
  state: string;
  action: string;
  alarm: string;
  tag: string;
  unit: string;
  who: string;
  reason: string;
  permit: string;
  until: string | null;
  one_shot: boolean;
  asked: string;
  expires: string;
  ended_by: string;
  ended: string | null;
}

export const readSuppressions = (signal: AbortSignal): Promise<{ suppressions: DesignSuppression[] }> => get("suppressions", {}, signal);
export const readRequests = (signal: AbortSignal): Promise<{ requests: SecondRequest[] }> => get("requests", { state: "all", limit: 50 }, signal);
export const endRequest = (id: string, how: "confirm" | "withdraw"): Promise<unknown> => post(`requests/${encodeURIComponent(id)}/${how}`, {});
