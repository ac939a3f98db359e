import { describe, expect, it } from "vitest";
import { sessionUser } from "./session-cookie";

const token = (payload: unknown) =>
  ["{}", JSON.stringify(payload), "signature"]
    .map((part) => Buffer.from(part).toString("base64url"))
    .join(".");
const cookies = (values: Record<string, string>) => ({
  get: (name: string) => (name in values ? { value: values[name] ?? "" } : undefined),
});

describe("whose session a request brings", () => {
  it("is what the token says, over TLS that of the cookie that needs it", () => {
    const both = cookies({ session: token({ sub: "a" }), "__Host-session": token({ sub: "b" }) });
    expect(sessionUser(both, false)).toBe("a");
    expect(sessionUser(both, true)).toBe("b");
  });

  it.each([{}, { session: "" }, { session: "any" }, { session: "a.b.c" }, { session: token({ sub: 1 }) }])(
    "is unknown with %o",
    (values) => expect(sessionUser(cookies(values as Record<string, string>), false)).toBeUndefined(),
  );
});
