/**
 * A file to the tenant's storage, with how much of it has gone: `fetch` does not tell that in any
 * browser that matters, so this one call goes another way. What fails, fails as any other call does.
 */
import type { AnswerOf } from "#client/types.ts";
import { randomKey, tenantHeader } from "#client/request.ts";

import { actingTenant } from "./acting.ts";
import { addressOf } from "./client.ts";
import { ApiProblem, problemOf } from "./problem.ts";
import { reportSessionEnd, reportSilence } from "./reach.ts";

export type StoredFile = AnswerOf<"uploadFile">;

const timeoutMs = 3_600_000;

export function uploadFile(
  file: Blob,
  name: string,
  { signal, onShare }: { readonly signal: AbortSignal; readonly onShare: (share: number) => void },
): Promise<StoredFile> {
  return new Promise((done, fail) => {
    const request = new XMLHttpRequest();
    request.open("POST", addressOf("uploadFile", { query: { name } }));
    request.timeout = timeoutMs;
    request.setRequestHeader("accept", "application/json");
    request.setRequestHeader("content-type", "application/octet-stream");
    request.setRequestHeader("idempotency-key", randomKey());
    const tenant = actingTenant();
    if (tenant !== undefined) request.setRequestHeader(tenantHeader, tenant.id);
    const nobody = (): void => {
      reportSilence();
      fail(new ApiProblem({ status: 0, code: "unreachable", message: "" }));
    };
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      if (total > 0) onShare(loaded / total);
    });
    request.addEventListener("error", nobody);
    request.addEventListener("timeout", nobody);
    request.addEventListener("abort", () => fail(new DOMException("Stopped.", "AbortError")));
    request.addEventListener("load", () => {
      const { status, responseText } = request;
      if (status === 201) {
        done(JSON.parse(responseText));
        return;
      }
      if (status === 401) reportSessionEnd();
      const id = request.getResponseHeader("x-request-id");
      const response = new Response(responseText, {
        status,
        headers: id === null ? {} : { "x-request-id": id },
      });
      void problemOf(response).then(fail, fail);
    });
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(file);
  });
}

const nameCharactersMax = 200;

/** Under which name the storage takes it: its own, with what is not allowed in names replaced. */
export function storableName(name: string): string {
  const clean = name
    .replaceAll(/[^A-Za-z0-9_.+@=-]/g, "_")
    .replace(/^[.-]+/, "")
    .slice(0, nameCharactersMax);
  return clean === "" ? "file" : clean;
}
