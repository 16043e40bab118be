/** Channels to people as the gateway tells them. */
import type { Receipt } from "./types";

export interface Channel {
  id: string;
  kind: string;
  language: "zh" | "en" | "both";
  /** Id of the words of the site's own; empty for the usual ones. */
  message: string;
  limits: { most: number; window_s: number }[];
  /** Messages that may be sent at once; null where there is no quota. */
  free: number | null;
  failures: number;
  fallback: string;
  fallback_s: number;
  natures: string[];
  escalations: string[];
  waiting: number;
  delivered: number;
  handed: number;
  quarantined: number;
  moved: number;
  oldest_waiting_s: number | null;
  last_receipt: string | null;
  last_error: string;
  next: string | null;
}
export interface Trial {
  key: string;
  state: string;
  attempts: number;
  created: string;
  next: string | null;
  delivered: string | null;
  last_error: string;
  receipt: Receipt | null;
}
export type DraftOf = "trial" | "digest";
export interface Draft {
  title: string;
  parts: string[];
  alarms: number;
  left: number;
  request: string;
}
