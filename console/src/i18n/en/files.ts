/** Files in the tenant's storage. */
export const files = {
  title: "Files",
  lead: "Inputs that you uploaded, and the logs and results that your jobs left.",
  room: "Storage",
  roomOf: "{{used}} of {{limit}} GiB",
  upload: "Upload files",
  uploading: "{{name}} is being uploaded",
  stop: "Stop",
  fullHelp: "Delete files that are not needed any more, or ask for more.",
  noPermission: "Your role may look, but not change.",
  kind: "Kind",
  kinds: { input: "Input", log: "Log", results: "Results" },
  size: "Size",
  job: "Job",
  emptyTitle: "No files yet",
  emptyText: "Files that you upload can be inputs of any number of jobs.",
  deleteTitle_one: "Delete {{count}} file?",
  deleteTitle_other: "Delete {{count}} files?",
  deleteText:
    "They are gone for good. An input that a job still waits for or needs again cannot be deleted.",
} as const;
