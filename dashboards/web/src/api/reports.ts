/** Reports by mail as the gateway tells them. */
import type { Receipt } from "./types";

export interface ReportPlan {
  id: string;
  span: "shift" | "day" | "month";
  /** Of a day or a month: seconds since midnight; null for a shift. */
  at_s: number | null;
  /** Of a shift: seconds after its end. */
  after_s: number | null;
  channel: string;
  to: string[];
  forms: string[];
  post: string;
  last_due: string | null;
}
export interface ReportMail {
  key: string;
  to: string;
  state: string;
  /** Since when it is to go. */
  since: string;
  attempts: number;
  delivered: string | null;
  last_error: string;
  receipt: Receipt | null;
}
export interface ReportRun {
  id: string;
  report: string;
  span: string;
  shift: string;
  from: string;
  to: string;
  made: string;
  files: { name: string; sha256: string; bytes: number }[];
  mails: ReportMail[];
}
export interface Reports {
  reports: ReportPlan[];
  runs: ReportRun[];
}
