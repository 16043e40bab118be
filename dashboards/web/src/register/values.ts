/** Values of records in words. */
import type { LedgerField, Values } from "../api/register";
import { exact, said } from "../words/format";
import { t, word } from "../words/i18n";

/** A unit that is a word, in the reader's language; a symbol is one in every language. */
function unitOf(eu: string): string {
  return word("register.eu", eu);
}

/** Write a value as people read it, with its unit. */
export function valueOf(field: LedgerField, values: Values, hasUnit = true): string {
  const value = values[field.name];
  if (value === undefined) return "";
  if (field.kind === "flag") return value === true ? t("people.yes") : t("people.no");
  if (field.kind === "choice" || field.kind === "post") {
    const choice = field.choices.find((one) => one.code === value);
    return choice ? said(choice.title) : String(value);
  }
  if (field.kind === "moment") return String(value).replace("T", " ");
  if (typeof value === "number") return hasUnit && field.eu !== "" ? `${exact(value)} ${unitOf(field.eu)}` : exact(value);
  return String(value);
}

/** Fields that two versions of a record differ in. */
export function differing(fields: readonly LedgerField[], before: Values, after: Values): LedgerField[] {
  return fields.filter((field) => before[field.name] !== after[field.name]);
}

/** The heading of a field: its title and its unit. */
export function headingOf(field: LedgerField): string {
  return field.eu === "" ? said(field.title) : `${said(field.title)} (${unitOf(field.eu)})`;
}

/** Whether a value is an address that a browser opens; a stream is shown as text, for a player. */
export function isLink(field: LedgerField, values: Values): boolean {
  return field.kind === "link" && /^https?:\/\//.test(String(values[field.name] ?? ""));
}
