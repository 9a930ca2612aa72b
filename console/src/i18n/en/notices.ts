/** What was said to the tenant. */
export const notices = {
  title: "Notices",
  lead: "All that was said to your account, newest first.",
  severity: "Weight",
  text: "Notice",
  at: "When",
  read: "read",
  all: "All notices",
} as const;
