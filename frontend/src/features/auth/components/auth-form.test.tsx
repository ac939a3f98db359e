// @vitest-environment jsdom
import { screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { json, problem, serve } from "@/test/api";
import { navigation } from "@/test/navigation";
import { renderPage } from "@/test/render";
import { AuthForm } from "./auth-form";

const session = {
  access_token: "t",
  token_type: "bearer",
  expires_at: "",
  user: { id: "1", email: "a@b.co", created_at: "" },
};

function open(mode: "login" | "register", handlers: Parameters<typeof serve>[0] = {}) {
  const calls = serve(handlers);
  return { ...renderPage(<AuthForm mode={mode} next="/chat" expired={false} />), calls };
}

async function fill(user: ReturnType<typeof renderPage>["user"], password: string) {
  await user.type(screen.getByLabelText("Email"), " ada@example.com ");
  await user.type(screen.getByLabelText("Password"), `${password}{Enter}`);
}

describe("AuthForm", () => {
  it("logs in and goes on", async () => {
    const { user, calls } = open("login", { "POST /api/auth/login": () => json(session) });
    await fill(user, "correct horse");
    expect(calls[0]?.body).toEqual({ email: "ada@example.com", password: "correct horse" });
    expect(navigation.went).toEqual(["/chat"]);
  });

  it("says why a login failed, and stays", async () => {
    const { user } = open("login", {
      "POST /api/auth/login": () => problem(401, "invalid_credentials", "Email or password is wrong."),
    });
    await fill(user, "wrong horse");
    expect(await screen.findByRole("alert")).toHaveTextContent("Email or password is wrong.");
    expect(navigation.went).toEqual([]);
    expect(screen.getByRole("button", { name: "Log in" })).toBeEnabled();
  });

  it("asks nobody about a password that is too short", async () => {
    const { user, calls } = open("register");
    await fill(user, "short");
    expect(screen.getByLabelText("Password")).toHaveAccessibleDescription(/Use at least 8 characters/);
    expect(screen.getByLabelText("Password")).toHaveFocus();
    expect(calls).toEqual([]);
  });

  it("shows the password while that is wanted", async () => {
    const { user } = open("login");
    expect(screen.getByLabelText("Password")).toHaveAttribute("type", "password");
    await user.click(screen.getByRole("button", { name: "Show what is typed" }));
    expect(screen.getByLabelText("Password")).toHaveAttribute("type", "text");
    await user.click(screen.getByRole("button", { name: "Hide what is typed" }));
    expect(screen.getByLabelText("Password")).toHaveAttribute("type", "password");
  });

  it("shows the server's word about a field at that field", async () => {
    const { user } = open("register", {
      "POST /api/auth/register": () =>
        problem(422, "validation_failed", "The request is not valid: email.", {
          errors: [{ field: "email", message: "The domain is not valid.", code: "value_error" }],
        }),
    });
    await fill(user, "correct horse");
    await screen.findByText("The domain is not valid.");
    expect(screen.getByLabelText("Email")).toHaveAccessibleDescription("The domain is not valid.");
    expect(screen.getByLabelText("Email")).toBeInvalid();
    expect(screen.queryByRole("alert")).toBeNull();
  });
});
