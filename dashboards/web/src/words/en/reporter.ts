/** English words of who reported something. */
export const reporter = {
  title: "Who reported",
  kept: "Somebody is kept, sealed. Opening is audited with its reason.",
  none: "Nobody is kept: the report is anonymous.",
  enter: "Enter who reported",
  again: "Enter anew",
  open: "Open",
  openHint: "Who opens it and why stands in the audit; write the reason without the person's name.",
  shown: "Seen by you alone; it is not kept on this page.",
  forget: "Forget",
  forgetHint: "It is gone for good; the report stays.",
  name: "Name",
  phone: "Telephone",
  answerTo: "How the answer reaches the person",
  note: "Note",
  save: "Keep",
};
