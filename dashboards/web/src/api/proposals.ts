/** Changes of the configuration that wait for another person, and what became of the others. */
import { get, post } from "./client";
import type { Checked, Difference, PartDifference } from "./types";

export type ProposalState = "open" | "approved" | "refused" | "withdrawn" | "expired";

export interface Proposal {
  number: number;
  made: string;
  expires: string;
  who: string;
  reason: string;
  origin: string;
  undoes: number | null;
  /** In force when it was made. */
  revision: number;
  state: ProposalState;
  count: number;
  count_others: number;
  rules: string[];
  ended_by: string;
  ended: string | null;
  said: string;
  /** The revision that came of it. */
  result: number | null;
}

export interface WholeProposal extends Proposal {
  changes: Difference[];
  parts: PartDifference[];
  restarted: string[];
  /** What it would do now; null once it is over. */
  now: (Checked & { is_same: boolean }) | null;
}

export interface Proposals {
  is_needed: boolean;
  hours: number;
  proposals: Proposal[];
  next: number | null;
}

export const readProposals = (signal: AbortSignal): Promise<Proposals> => get("rules/proposals", { limit: 100 }, signal);
export const readProposal = (number: number): Promise<WholeProposal> => get(`rules/proposals/${number}`);
export const approveProposal = (number: number, comment: string): Promise<{ revision: number }> => post(`rules/proposals/${number}/approve`, { comment });
export const endProposal = (number: number, how: "refuse" | "withdraw", reason: string): Promise<unknown> => post(`rules/proposals/${number}/${how}`, { reason });
