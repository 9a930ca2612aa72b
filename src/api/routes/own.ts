/** The handlers that come with the server itself. */
import type { Environment } from "#api/call.ts";
import type { Handlers } from "#api/handler.ts";
import type { SignInLimits } from "#api/sign-in-limits.ts";

import { auditHandlers } from "./audit/audit.ts";
import { apiKeyHandlers } from "./identity/api-keys.ts";
import { passwordHandlers } from "./identity/passwords.ts";
import { projectHandlers } from "./identity/projects.ts";
import { sessionHandlers } from "./identity/sessions.ts";
import { signInHandlers } from "./identity/sign-in.ts";
import { sshKeyHandlers } from "./identity/ssh-keys.ts";
import { tenantHandlers } from "./identity/tenants.ts";
import { userHandlers } from "./identity/users.ts";
import { whoamiHandlers } from "./identity/whoami.ts";
import { noticeHandlers } from "./notices/notices.ts";
import { healthHandlers } from "./platform/health.ts";
import { metricsHandlers } from "./platform/metrics.ts";
import { openApiHandlers } from "./platform/openapi.ts";
import { systemHandlers } from "./platform/system.ts";

export function ownHandlers({
  observer,
  signInLimits,
}: Pick<Environment, "observer"> & { readonly signInLimits: SignInLimits }): Partial<Handlers> {
  return {
    ...whoamiHandlers,
    ...tenantHandlers,
    ...projectHandlers,
    ...userHandlers,
    ...apiKeyHandlers,
    ...sessionHandlers,
    ...signInHandlers(signInLimits),
    ...passwordHandlers(signInLimits),
    ...sshKeyHandlers,
    ...auditHandlers,
    ...noticeHandlers,
    ...systemHandlers,
    ...healthHandlers,
    ...metricsHandlers(observer),
    ...openApiHandlers,
  };
}
