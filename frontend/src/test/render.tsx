import { render } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { ReactElement } from "react";
import { Providers } from "@/shell/providers";

/** Who is logged in. */
export const USER_ID = "00000000-0000-4000-9000-000000000001";

/** Renders a page as the app does: with the API, the cache, messages and pending deletions. */
export function renderPage(page: ReactElement) {
  const user = userEvent.setup();
  const view = render(
    <Providers apiUrl={location.origin} userId={USER_ID}>
      {page}
    </Providers>,
  );
  return { user, ...view };
}
