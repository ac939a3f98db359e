// @vitest-environment jsdom
import { screen, waitFor } from "@testing-library/react";
import { expect, it } from "vitest";
import { json, page, problem, serve, task } from "@/test/api";
import { navigation } from "@/test/navigation";
import { renderPage, USER_ID } from "@/test/render";
import { TasksView } from "./tasks-view";

it("says with each call whom it means, and that somebody else is logged in by now", async () => {
  navigation.at("/tasks");
  const calls = serve({
    "GET /api/tasks": () => json(page([task({ title: "Read" })])),
    "POST /api/tasks": () => problem(409, "other_user", "Somebody else is logged in by now."),
  });
  const { user } = renderPage(<TasksView />);
  await screen.findByRole("button", { name: "Read" });
  await user.type(screen.getByLabelText("New task"), "Pay rent{Enter}");
  await screen.findByRole("dialog", { name: "Somebody else is logged in by now" });
  await waitFor(() => expect(screen.getByLabelText("New task")).toHaveValue("Pay rent"));
  for (const { headers } of calls) expect(headers.get("x-user-id")).toBe(USER_ID);
});
