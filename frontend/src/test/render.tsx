import { render } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { ReactElement } from "react";
import { Providers } from "@/components/providers";
import { DeletionsProvider } from "@/lib/tasks/use-deletions";

/** Renders a page as the app does: with the API, the cache, messages and pending deletions. */
export function renderPage(page: ReactElement) {
  const user = userEvent.setup();
  const view = render(
    <Providers apiUrl={location.origin}>
      <DeletionsProvider>{page}</DeletionsProvider>
    </Providers>,
  );
  return { user, ...view };
}
