import type { Handlers } from "#api/handler.ts";

/** Made when it is first asked for: it takes 50 ms, which a start need not wait for. */
let made: unknown;

export const openApiHandlers = {
  getOpenApi: async () => {
    const { openApiDocument } = await import("#api/openapi.ts");
    made ??= openApiDocument();
    return made;
  },
} satisfies Partial<Handlers>;
