/** English words of instruments. */
export const instruments = {
  count: "Instruments in use {n}",
  calibration: "Calibration overdue",
  proof: "Proof test overdue",
  bypass: "Bypassed",
  bypass_over: "Bypass too long",
  none: "No instrument is overdue or bypassed.",
};

export const capacity = {
  zone: "Zone",
  now: "Persons now",
  atOnce: "At once",
  inDay: "In a day",
  limit: "Limited by",
  steps: "Worked out",
  all: "All zones",
};
