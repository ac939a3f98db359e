import { render, screen, waitFor } from "@testing-library/react";
import userEvent, { type UserEvent } from "@testing-library/user-event";
import type { ReactElement } from "react";
import { expect } from "vitest";
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

/** Clicks a button of a message. A list of messages lets clicks through until its first one has been counted. */
export async function clickInMessage(user: UserEvent, name: string) {
  const button = await screen.findByRole("button", { name });
  await waitFor(() => expect(button.closest("[role=region]")).not.toHaveStyle({ pointerEvents: "none" }));
  await user.click(button);
}
