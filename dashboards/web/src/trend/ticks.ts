/** Places of the time axis in the site's time zone: ECharts itself knows the browser's zone and UTC only. */
import { clock, day, offset_min } from "../words/format";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const STEPS = [10_000, 30_000, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 5 * DAY, 7 * DAY];

export interface Ticks {
  at: number[];
  step: number;
}

/** Round moments of the site's clock between two moments, at most `most` of them. */
export function ticks(from: number, to: number, most: number): Ticks {
  const step = STEPS.find((size) => (to - from) / size <= most) ?? 30 * DAY;
  const at: number[] = [];
  const local = from + offset_min(from) * MINUTE;
  let next = Math.ceil(local / step) * step;
  for (let n = 0; n < 200; n += 1) {
    // The offset at the tick itself: it may differ from the one at the start of the span.
    const guess = next - offset_min(from) * MINUTE;
    const moment = next - offset_min(guess) * MINUTE;
    if (moment > to) break;
    if (moment >= from) at.push(moment);
    next += step;
  }
  return { at, step };
}

export function tickLabel(moment: number, step: number): string {
  if (step >= DAY) return day(moment).slice(5);
  const time = clock(moment, step < MINUTE);
  return time.startsWith("00:00") ? `${day(moment).slice(5)}` : time;
}
