/** What a line of a timeline says, in words. */
import type { Said } from "../api/types";
import { exact, full, ownerWord, said } from "../words/format";
import { t, word } from "../words/i18n";

const GRADES = ["–", "Ⅰ", "Ⅱ", "Ⅲ", "Ⅳ"];
const PLAIN = ["name", "amount", "title", "person", "answer", "text", "who", "data", "decision", "note", "reason", "due", "zone", "level"] as const;

interface Kept {
  tag: string;
  value: number | null;
  eu?: string;
}

export function factsOf(facts: Record<string, unknown>): string {
  const parts: string[] = [];
  if (typeof facts["tier"] === "string") parts.push(word("tier", facts["tier"]));
  if (typeof facts["from"] === "number") parts.push(`${GRADES[facts["from"]]} → ${GRADES[Number(facts["to"])]}`);
  if (facts["into"] !== undefined) parts.push(`→ ${String(facts["into"])}`);
  if (facts["incident"] !== undefined) parts.push(String(facts["incident"]));
  for (const name of PLAIN) if (facts[name]) parts.push(typeof facts[name] === "string" || typeof facts[name] === "number" ? String(facts[name]) : said(facts[name] as Said));
  parts.push(...callFacts(facts));
  if (facts["part"] === "restart") parts.push(t("incidents.restart"));
  if (facts["is_late"] === true) parts.push(t("incidents.late"));
  if (facts["is_nobody_there"] === true) parts.push(t("incidents.nobodyWas"));
  if (facts["is_despite"] === true) parts.push(t("incidents.despiteSaid"));
  for (const one of (facts["values"] as Kept[] | undefined) ?? []) if (one.value !== null) parts.push(`${one.tag} ${exact(one.value)} ${one.eu ?? ""}`.trim());
  if (facts["titles"]) parts.push(said(facts["titles"] as Said));
  for (const one of (facts["members"] as { duty: Said; persons: string[] }[] | undefined) ?? []) parts.push(`${said(one.duty)} ${one.persons.join(", ") || "–"}`);
  return parts.join(" · ");
}

/** Who was called out, and what was answered. */
function callFacts(facts: Record<string, unknown>): string[] {
  const parts: string[] = [];
  if (typeof facts["reply"] === "string") parts.push(word("calls.said", facts["reply"]));
  if (typeof facts["minutes"] === "number") parts.push(t("calls.inMinutes", { n: facts["minutes"] }));
  if (typeof facts["way"] === "string") parts.push(`${word("calls.ways", facts["way"])} ${full(String(facts["heard_at"]))}`);
  if (typeof facts["count"] === "number") parts.push(said(facts["at"] as Said), t("roll.persons", { n: facts["count"] }));
  if (typeof facts["heard"] === "string") parts.push(word("roll.heard", facts["heard"]), ...(facts["at"] ? [said(facts["at"] as Said)] : []));
  if (Array.isArray(facts["names"])) parts.push(`${String(facts["missing"])}: ${facts["names"].join(", ")}`);
  else for (const name of ["inside", "safe", "help", "left", "missing"] as const) if (typeof facts[name] === "number") parts.push(`${t(`roll.${name}`)} ${facts[name]}`);
  if (typeof facts["named"] === "number") parts.push(`${word("roll.source", "access")} ${facts["named"]}`);
  if (!Array.isArray(facts["persons"])) return parts;
  if (facts["persons"].length > 0) {
    parts.push(facts["persons"].join(", "));
    if (typeof facts["said"] === "string") parts.push(word("calls.how", facts["said"]));
  } else parts.push(typeof facts["target"] === "string" ? t("calls.nobody", { owner: ownerWord(facts["target"]) }) : word("calls.how", "nobody"));
  return parts;
}
