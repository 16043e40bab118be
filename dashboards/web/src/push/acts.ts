/** What notices say of themselves and of their destinations. */
import type { Notice } from "../api/types";

export type NoticeAct = "alert" | "update" | "cancel" | "stopped" | "resumed";

/** What a notice tells: of an alarm its action, of an alarm taken out of service that. */
export function noticeAct(notice: Notice): NoticeAct {
  if (notice.body?.subject === "out_of_service") return notice.body.event.what === "suppressed" ? "stopped" : "resumed";
  if (notice.body?.subject === "stop") return notice.action === "cancel" ? "resumed" : "stopped";
  return notice.action as NoticeAct;
}
