/** English words of instruments. */
export const instruments = {
  count: "{n} instruments in use",
  calibration: "Calibration overdue",
  proof: "Proof test overdue",
  bypass: "Bypassed",
  bypass_over: "Bypass too long",
  none: "No instrument is overdue or bypassed.",
};
