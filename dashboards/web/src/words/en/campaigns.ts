/** English words of campaigns. */
export const campaigns = {
  coverage: "{share} % covered ({done} of {all} hazard units)",
  noUnits: "No hazard unit belongs to it.",
  missing: "Not yet inspected in this round:",
  camera: "Camera of this patrol",
};
