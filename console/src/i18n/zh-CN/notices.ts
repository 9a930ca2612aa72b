/** 通知。 */
export const notices = {
  title: "通知",
  lead: "发给您账户的全部通知，最新的在前。",
  severity: "级别",
  text: "内容",
  at: "时间",
  read: "已读",
  all: "查看全部通知",
};
