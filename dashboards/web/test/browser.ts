/** The few things of a browser that the page's modules touch when they are loaded. */
const kept = new Map<string, string>();
Object.assign(globalThis, {
  window: globalThis,
  localStorage: { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => kept.set(key, value) },
  document: { documentElement: { lang: "", dataset: {} }, hidden: false, createElement: () => ({}), createElementNS: () => ({}) },
});
Object.defineProperty(globalThis, "navigator", { value: { language: "en-GB" }, configurable: true });
