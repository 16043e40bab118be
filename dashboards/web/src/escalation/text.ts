/** Whom a step is for, in words. */
import { t } from "../words/i18n";

export function toText(to: string): string {
  if (to === "") return t("escalation.group");
  return to === "leader" ? t("escalation.leader") : to.replace(/^(post|person):/, "");
}
