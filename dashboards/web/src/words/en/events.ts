/** English words of large events. */
export const events = {
  about: "While a filed event runs, its approved head count replaces what its zones take, and its roster and escalation replace the usual ones; it begins and ends by the site's clock.",
  event: "Event",
  stand: "Now",
  when: "From, until",
  approved: "Approved",
  zones: "Zones: own capacity → in force while it runs",
  zone: "{name}: {own} → {takes}, now {now}",
  roster: "Roster",
  ladder: "Escalation",
  usual: "as usual",
  stands: { planned: "not filed", coming: "to come", running: "runs", over: "over" },
};
