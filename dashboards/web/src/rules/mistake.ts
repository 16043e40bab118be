import type { Mistake } from "../api/types";

/** Say what is wrong in the language of the page; in English where no other words are known. */
export function sentenceIn(mistake: Mistake, language: string): string {
  return (language === "zh" && mistake.zh) || mistake.sentence;
}

/** Say what to do about it. */
export function remedyIn(mistake: Mistake, language: string): string {
  return (language === "zh" && mistake.remedy_zh) || mistake.remedy;
}
