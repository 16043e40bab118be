/** Answers of the door of today's safety commitment. */
import type { Said } from "./types";
import type { Values } from "./register";

export interface TodaysCommitment {
  day: string;
  found: Record<string, number>;
  proposed: Values;
  record: { id: string; code: string; revision: number; values: Values } | null;
  contradictions: Said[];
  told: { destination: string; action: string; state: string; created: string; delivered: string | null }[];
  is_asked: boolean;
  by: string;
  signers: string[];
}
