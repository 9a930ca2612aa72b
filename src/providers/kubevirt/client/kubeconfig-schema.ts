/** The parts of a kubeconfig file that this client reads; others may stand in it. */
import { z } from "zod";

const cluster = z.looseObject({
  server: z.url({ protocol: /^https?$/ }),
  "certificate-authority": z.string().optional(),
  "certificate-authority-data": z.string().optional(),
  "insecure-skip-tls-verify": z.boolean().default(false),
  "tls-server-name": z.string().optional(),
  "proxy-url": z.string().optional(),
});

const exec = z.object({
  apiVersion: z.string(),
  command: z.string().min(1),
  args: z.array(z.string()).nullish(),
  env: z.array(z.object({ name: z.string(), value: z.string() })).nullish(),
  provideClusterInfo: z.boolean().default(false),
  installHint: z.string().optional(),
  interactiveMode: z.enum(["Never", "IfAvailable", "Always"]).default("IfAvailable"),
});

const user = z.object({
  token: z.string().min(1).optional(),
  tokenFile: z.string().min(1).optional(),
  "client-certificate": z.string().optional(),
  "client-certificate-data": z.string().optional(),
  "client-key": z.string().optional(),
  "client-key-data": z.string().optional(),
  username: z.string().optional(),
  "auth-provider": z.unknown().optional(),
  exec: exec.nullish().transform((value) => value ?? undefined),
  as: z.string().optional(),
  "as-groups": z.array(z.string()).default([]),
});

export type KubeconfigUser = z.infer<typeof user>;

export const kubeconfigSchema = z.object({
  "current-context": z.string().default(""),
  clusters: z.array(z.object({ name: z.string(), cluster })),
  contexts: z.array(
    z.object({
      name: z.string(),
      context: z.object({
        cluster: z.string(),
        user: z.string(),
        namespace: z.string().min(1).optional(),
      }),
    }),
  ),
  users: z.array(z.object({ name: z.string(), user })),
});
