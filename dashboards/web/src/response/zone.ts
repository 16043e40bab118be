/** How levels of a consequence zone are drawn: the gravest red, each scale with a line of its own. */
import type { ZoneLevel } from "../api/zones";

export function colourOf(name: string): string {
  if (name.endsWith("3") || name === "LFL") return "--red";
  return name.endsWith("1") ? "--yellow" : "--orange";
}

export function dashOf(name: string): string {
  return name.startsWith("ERPG") ? "8 5" : name === "IDLH" ? "2 5" : "";
}

/** What is drawn at first: of the toxic scales the first that there is, and what burns. */
export function firstDrawn(levels: readonly ZoneLevel[]): string[] {
  const scale = levels.some((one) => one.name.startsWith("AEGL")) ? "AEGL" : "ERPG";
  return levels.filter((one) => one.name.startsWith(scale) || one.name.endsWith("LFL")).map((one) => one.name);
}
