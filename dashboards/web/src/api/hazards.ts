/** Answers of the doors of hidden hazards. */

export interface HazardFigures {
  from: string;
  to: string;
  found: number;
  found_major: number;
  closed: number;
  closed_major: number;
  closed_of_found: number | null;
  due: number;
  due_in_time: number;
  in_time: number | null;
  by_rule: number;
  by: Record<"source" | "class" | "type" | "cause_class" | "state", Record<string, number>>;
  units: { unit: string; found: number }[];
  repeated: number;
  repeats: { id: string; code: string; title: string; place: string; found_on: string; before: { id: string; code: string; title: string }; days: number; times: number }[];
  open: number;
  open_major: number;
  overdue: number;
  listed: Record<string, number>;
  is_whole: boolean;
  repeat_days: number;
}
