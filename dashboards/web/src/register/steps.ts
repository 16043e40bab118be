/** A checklist as it is kept: one line a step, `id | what | owner | minutes | after | answers`. */

export interface DraftStep {
  id: string;
  title: string;
  owner: string;
  minutes: string;
  after: string;
  answers: string;
}

/** Read the lines; what is missing is empty, so that a half-written step can be gone on with. */
export function readSteps(text: string): DraftStep[] {
  return text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const [id = "", title = "", owner = "", minutes = "", after = "", answers = ""] = line.split("|").map((cell) => cell.trim());
      return { id, title, owner, minutes, after, answers };
    });
}

/** Write the lines; a sign that parts cells cannot stand in one. */
export function writeSteps(steps: readonly DraftStep[]): string {
  return steps.map((step) => [step.id, step.title, step.owner, step.minutes, step.after, step.answers].map((cell) => cell.replaceAll("|", "/").replaceAll("\n", " ").trim()).join(" | ")).join("\n");
}

/** The next id that no step has. */
export function freeId(steps: readonly DraftStep[]): string {
  let number = steps.length + 1;
  while (steps.some((step) => step.id === String(number))) number += 1;
  return String(number);
}
