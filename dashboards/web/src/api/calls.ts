/** Answers of the doors of the call-out. */
import type { Said, Tier } from "./types";

export type Reply = "coming" | "cannot" | "help";

/** How an answer came. */
export type AnswerWay = "page" | "telephone" | "sms" | "radio" | "spoken";

export interface PostCall {
  id: string;
  /** 0: whom the line names first. */
  level: number;
  /** leader, post:ID or person:NAME. */
  to: string;
  /** Empty: nobody was there. */
  person: string;
  called: string;
  /** What became of the message; null where the page alone says it. */
  notice: { channel: string; state: string; attempts: number; delivered: string | null; receipt: string; error: string } | null;
  /** Empty for none. */
  answer: Reply | "";
  /** Until there, min. */
  minutes: number | null;
  note: string;
  /** When it was said. */
  answered: string | null;
  answered_by: string;
  /** Empty for none, and of those from before it was asked. */
  answered_how: AnswerWay | "";
}

export interface CalledLine {
  incident: number;
  line: string;
  title: Said;
  /** So many must come. */
  persons: number;
  state: "planned" | "waiting" | "enough" | "exhausted" | "over";
  /** When the next are called; null for never. */
  due: string | null;
  calls: PostCall[];
}

/** A line of the site's list. */
export interface ListedLine {
  id: string;
  title: Said;
  targets: string[];
  from_tier: Tier;
  from_grade: number;
  after_minutes: number;
  answer_minutes: number;
  persons: number;
}

/** A call of one's own that waits for an answer. */
export interface MyCall {
  id: string;
  incident: number;
  line: string;
  unit: string;
  title: string;
  kind: string;
  called: string;
}
