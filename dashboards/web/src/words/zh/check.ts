/** Chinese words of a check on the spot. */
import type { Words } from "../en";

export const check: Words["check"] = {
  title: "现场检查",
  content: "排查内容",
  due: "期限 {day}",
  photos: "照片",
  addPhoto: "拍照",
  drop: "不要",
  place: "位置",
  here: "当前位置",
  placeFailed: "设备无法提供位置，请填写。",
  remarks: "检查说明",
  hazard: "隐患名称",
  normal: "检查正常",
  found: "发现隐患",
  needPlace: "请填写位置，或由设备提供。",
  needHazard: "请简要写明问题。",
  sent: "已于 {time} 记录为 {code}。",
  hazardMade: "已登记隐患 {code}。",
  photosLeft: "{n} 张照片未上传：{why}",
  next: "下次期限 {day}。",
  noMay: "您的角色不能检查。",
  notOpen: "该任务已停用。",
  start: "现场检查",
  back: "返回任务",
};
