import { ref, shallowRef, type Ref, type ShallowRef } from "vue";
import { sentenceOf } from "./desk";
import { t } from "./words/i18n";

/** A list that a person chose and what the gateway saw in it: nothing is taken before it was looked at. */
export interface Looking<T> {
  file: ShallowRef<File | null>;
  looked: ShallowRef<T | null>;
  refusal: Ref<string>;
  isBusy: Ref<boolean>;
  choose: (event: Event) => void;
  look: () => Promise<void>;
  forget: () => void;
}

/** Look at a chosen list by `ask`; a refusal becomes a sentence, and another file forgets what was seen. */
export function useLooked<T>(ask: (name: string, content: Blob) => Promise<T>): Looking<T> {
  const file = shallowRef<File | null>(null);
  const looked = shallowRef<T | null>(null);
  const refusal = ref("");
  const isBusy = ref(false);
  let chooser: HTMLInputElement | null = null;

  function choose(event: Event): void {
    chooser = event.target as HTMLInputElement;
    file.value = chooser.files?.[0] ?? null;
    looked.value = null;
    refusal.value = "";
  }
  async function look(): Promise<void> {
    const chosen = file.value;
    if (chosen === null) return;
    refusal.value = "";
    looked.value = null;
    let content: Blob;
    try {
      content = new Blob([await chosen.arrayBuffer()]);
    } catch {
      forget();
      refusal.value = t("common.fileChanged"); // Edited since it was chosen: browsers no longer read it.
      return;
    }
    isBusy.value = true;
    try {
      looked.value = await ask(chosen.name, content);
    } catch (cause) {
      refusal.value = sentenceOf(cause);
    }
    isBusy.value = false;
  }
  function forget(): void {
    looked.value = null;
    file.value = null;
    if (chooser) chooser.value = "";
  }
  return { file, looked, refusal, isBusy, choose, look, forget };
}
