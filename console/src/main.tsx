/** The composition: texts, then the page with its providers. */
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { createRoot } from "react-dom/client";

import { queryClient } from "#console/api/queries.ts";
import { startTexts } from "#console/i18n/index.ts";
import { makeRouter } from "#console/shell/router.tsx";
import { UiProvider } from "#console/ui/provider.tsx";

await startTexts();
const root = document.querySelector("#root");
if (root !== null) {
  createRoot(root).render(
    <UiProvider>
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={makeRouter()} />
      </QueryClientProvider>
    </UiProvider>,
  );
}
