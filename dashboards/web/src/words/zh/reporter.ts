/** Chinese words of who reported something. */
import type { Words } from "../en";

export const reporter: Words["reporter"] = {
  title: "举报人",
  kept: "已加密登记举报人。查看须填写原因，并写入审计。",
  none: "未登记举报人：匿名举报。",
  enter: "登记举报人",
  again: "重新登记",
  open: "查看",
  openHint: "查看人和原因写入审计；原因中不得出现举报人信息。",
  shown: "仅向您本人显示，页面不保留。",
  forget: "删除",
  forgetHint: "举报人信息将永久删除，举报记录保留。",
  name: "姓名",
  phone: "电话",
  answerTo: "答复方式",
  note: "备注",
  save: "登记",
};
