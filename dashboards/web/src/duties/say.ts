/** Duties in words. */
import type { Duty, DutyTold } from "../api/duties";
import { full } from "../words/format";
import { t } from "../words/i18n";

/** By when, as people write it: a day, or day and clock. */
export function dueText(duty: Duty): string {
  return duty.day ?? full(duty.due);
}

/** How long there is, or how long it has been overdue. */
export function leftText(duty: Duty, now_ms: number): string {
  const due_ms = duty.due === null ? null : Date.parse(duty.due);
  if (due_ms === null || duty.state !== "open") return "";
  if (now_ms >= due_ms) return duty.overdue_days > 0 ? t("duties.overdue", { n: duty.overdue_days }, duty.overdue_days) : t("duties.over");
  const days = Math.floor((due_ms - now_ms) / 86_400_000);
  return days === 0 ? t("duties.today") : t("duties.inDays", { n: days }, days);
}

export function isOver(duty: Duty, now_ms: number): boolean {
  return duty.state === "open" && duty.due !== null && now_ms >= Date.parse(duty.due);
}

/** Who was reached by the last step. */
export function toldText(told: readonly DutyTold[]): string {
  const steps = told.filter((one) => one.what !== "answer");
  const names = [...new Set(steps.map((one) => one.person).filter((name) => name !== ""))];
  if (names.length > 0) return names.join(t("common.comma"));
  return steps.length > 0 ? t("duties.nobodyTold") : "";
}

export function receiver(to: string): string {
  const [kind, id] = to.split(":");
  if (id === undefined) return t(`duties.to.${to === "leader" ? "leader" : "holder"}`);
  return t(`duties.to.${kind === "post" ? "post" : "person"}`, { id });
}
