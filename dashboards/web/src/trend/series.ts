/** From a history to what is drawn: lines with open gaps, bad stretches, a band where values were thinned. */
import type { History } from "../api/types";

export type Point = [number, number | null];

export interface Drawn {
  line: Point[];
  /** Samples with a gap on either side: no line goes through them, and they are not to vanish. */
  alone: [number, number][];
  lo: Point[];
  /** Height of the band over `lo`. */
  hi: Point[];
  /** Stretches that are not plainly good, [from, to] in ms. */
  bad: [number, number][];
  least: number | null;
  most: number | null;
}

export function drawn(history: History, period_ms: number): Drawn {
  const n = history.times_ns.length;
  const times = history.times_ns.map((time) => Number(BigInt(time) / 1_000_000n));
  const steps: number[] = [];
  for (let i = 1; i < n; i += 1) steps.push(times[i]! - times[i - 1]!);
  steps.sort((a, b) => a - b);
  const usual = steps.length > 0 ? steps[(steps.length - 1) >> 1]! : period_ms;
  // Three missing scans are a gap, as they are an alarm; where values are thinned, three missing buckets.
  const gap = Math.max(3 * period_ms, 3 * usual, 1_000);

  const line: Point[] = [];
  const lo: Point[] = [];
  const hi: Point[] = [];
  const bad: [number, number][] = [];
  let least: number | null = null;
  let most: number | null = null;
  let badSince: number | null = null;
  for (let i = 0; i < n; i += 1) {
    const time = times[i]!;
    const before = i > 0 ? times[i - 1]! : null;
    if (before !== null && time - before > gap) {
      line.push([before + 1, null]);
      lo.push([before + 1, null]);
      hi.push([before + 1, null]);
      if (badSince !== null) {
        bad.push([badSince, before]);
        badSince = null;
      }
    }
    const value = history.values[i] ?? null;
    const quality = history.quality[i] ?? 0;
    line.push([time, value]);
    if (history.is_rolled_up) {
      const min = history.min[i] ?? value;
      const max = history.max[i] ?? value;
      lo.push([time, min]);
      hi.push([time, min === null || max === null ? null : max - min]);
      if (min !== null) least = least === null ? min : Math.min(least, min);
      if (max !== null) most = most === null ? max : Math.max(most, max);
    } else if (value !== null) {
      least = least === null ? value : Math.min(least, value);
      most = most === null ? value : Math.max(most, value);
    }
    // BAD without a reason and without a value is the historian's own mark of a hole: open, not hatched.
    const isHole = quality === 0x80 && value === null;
    const isBad = !isHole && (quality !== 0 || value === null);
    if (isBad && badSince === null) badSince = time;
    if (!isBad && badSince !== null) {
      bad.push([badSince, time]);
      badSince = null;
    }
  }
  if (badSince !== null && n > 0) bad.push([badSince, times[n - 1]! + usual]);
  const alone = line.filter((one, at): one is [number, number] => one[1] !== null && isOpen(line[at - 1]) && isOpen(line[at + 1]));
  return { line, alone, lo, hi, bad, least, most };
}

function isOpen(beside: Point | undefined): boolean {
  return beside === undefined || beside[1] === null;
}
