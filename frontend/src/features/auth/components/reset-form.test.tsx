// @vitest-environment jsdom
import { screen, waitFor } from "@testing-library/react";
import { expect, it } from "vitest";
import { type Handler, json, problem, serve } from "@/test/api";
import { navigation } from "@/test/navigation";
import { renderPage } from "@/test/render";
import { ResetForm } from "./reset-form";

const done = () => new Response(null, { status: 204 });
const CODE = "7KQ2-M0XD-94RB-TZ3A";

function open(mail: boolean, handlers: Record<string, Handler> = {}) {
  const calls = serve({ "GET /api/auth/reset": () => json({ mail }), ...handlers });
  const changes = () => calls.filter(({ call }) => !call.startsWith("GET"));
  return { ...renderPage(<ResetForm />), changes };
}

async function fill({ user }: ReturnType<typeof open>, code: string, password: string) {
  await user.type(screen.getByLabelText("Email"), " ada@example.com ");
  await user.type(screen.getByLabelText("Code"), code);
  await user.type(screen.getByLabelText("New password"), `${password}{Enter}`);
}

it("sets the password and logs in with it", async () => {
  const view = open(false, { "POST /api/auth/reset": done, "POST /api/auth/login": () => json({}) });
  await screen.findByText(/Whoever runs this site can make one for you/);
  await fill(view, CODE, "correct horse");
  await waitFor(() => expect(navigation.went).toEqual(["/tasks"]));
  expect(view.changes().map(({ body }) => body)).toEqual([
    { email: "ada@example.com", code: CODE, password: "correct horse" },
    { email: "ada@example.com", password: "correct horse" },
  ]);
});

it("has a code sent where mail is sent, and tells nobody whether there is an account", async () => {
  const view = open(true, { "POST /api/auth/reset/mail": () => json({ mail: true }, 202) });
  await view.user.type(screen.getByLabelText("Email"), "ada@example.com");
  await view.user.click(await screen.findByRole("button", { name: "Send me a code" }));
  await screen.findByText("If there is an account with this address, a code is on its way.");
  expect(screen.getByLabelText("Code")).toHaveFocus();
  expect(view.changes()[0]?.body).toEqual({ email: "ada@example.com" });
});

it.each([
  ["Code", "invalid_reset_code", 403, "The code is wrong, used or older than an hour."],
  ["New password", "weak_password", 422, "This password is one of the commonest."],
])("tells at “%s” of %s", async (label, code, status, words) => {
  const view = open(false, { "POST /api/auth/reset": () => problem(status, code, words) });
  await fill(view, CODE, "correct horse");
  await screen.findByText(words);
  expect(screen.getByLabelText(label)).toHaveAccessibleDescription(words);
  expect(screen.getByLabelText(label)).toHaveFocus();
  expect(navigation.went).toEqual([]);
});

it("asks nobody about a code that is too short", async () => {
  const view = open(false);
  await fill(view, "7KQ2", "short");
  expect(screen.getByLabelText("Code")).toHaveFocus();
  expect(screen.getByLabelText("Code")).toHaveAccessibleDescription(/four groups of four/);
  expect(screen.getByLabelText("New password")).toHaveAccessibleDescription(/at least 8 characters/);
  expect(view.changes()).toEqual([]);
});
