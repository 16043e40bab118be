/** English words of response. */
export const response = {
  title: "Response tasks",
  open: "Open",
  done: "Done",
  noneOpen: "No open tasks.",
  noneDone: "No task has been done yet.",
  due: "Due",
  left: "{age} left",
  overdue: "{age} overdue",
  task: "Task",
  unit: "Hazard unit",
  owner: "Owner",
  entry: "Entry",
  doIt: "Mark done",
  doneBy: "Done by",
  note: "Note",
  state: { open: "open", done: "done", void: "void" } as Record<string, string>,
};
