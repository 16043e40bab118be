/** English words of reports by mail. */
export const reports = {
  title: "Reports by mail",
  none: "No report is configured. Write [[report_mail]] into the site file.",
  spans: { shift: "each shift", day: "each day", month: "each month" } as Record<string, string>,
  at: "at {time}",
  after: "{span} after its end",
  to: "to {to}",
  by: "by {channel}",
  post: "post {post}",
  made: "Made",
  noRuns: "None was made yet.",
  period: "{from} to {to}",
  trouble: "Mails of reports do not go: {n}",
  hint: "Put the mail server or the address right; mails go on by themselves, what was put aside goes again by hand.",
  again: "Send again",
  againHint: "The same mail with the same files goes once more to {to}. The reason stands in the ledger.",
  send: "Send",
};
