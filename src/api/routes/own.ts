/** The handlers that come with the server itself. */
import type { Environment } from "#api/call.ts";
import type { Handlers } from "#api/handler.ts";

import { auditHandlers } from "./audit/audit.ts";
import { apiKeyHandlers } from "./identity/api-keys.ts";
import { projectHandlers } from "./identity/projects.ts";
import { sshKeyHandlers } from "./identity/ssh-keys.ts";
import { tenantHandlers } from "./identity/tenants.ts";
import { userHandlers } from "./identity/users.ts";
import { whoamiHandlers } from "./identity/whoami.ts";
import { noticeHandlers } from "./notices/notices.ts";
import { healthHandlers } from "./platform/health.ts";
import { metricsHandlers } from "./platform/metrics.ts";
import { openApiHandlers } from "./platform/openapi.ts";
import { systemHandlers } from "./platform/system.ts";

export function ownHandlers({ observer }: Pick<Environment, "observer">): Partial<Handlers> {
  return {
    ...whoamiHandlers,
    ...tenantHandlers,
    ...projectHandlers,
    ...userHandlers,
    ...apiKeyHandlers,
    ...sshKeyHandlers,
    ...auditHandlers,
    ...noticeHandlers,
    ...systemHandlers,
    ...healthHandlers,
    ...metricsHandlers(observer),
    ...openApiHandlers,
  };
}
