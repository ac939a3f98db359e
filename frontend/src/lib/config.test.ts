import { describe, expect, it } from "vitest";
import { backendUrl, ConfigError, publicApiUrl } from "./config";

describe("publicApiUrl", () => {
  it.each([
    [undefined, ""],
    ["", ""],
    ["  ", ""],
    ["https://api.example.com", "https://api.example.com"],
    ["https://api.example.com/", "https://api.example.com"],
    ["http://localhost:8000/api", "http://localhost:8000"],
    ["https://example.com/todo/api/", "https://example.com/todo"],
  ])("%s gives “%s”", (raw, expected) => {
    expect(publicApiUrl({ NEXT_PUBLIC_API_URL: raw })).toBe(expected);
  });

  it.each([
    "api.example.com",
    "ftp://example.com",
    "javascript:alert(1)",
    "https://u:p@example.com",
    "https://a.b/?x=1",
  ])("refuses %s and names the variable", (raw) => {
    expect(() => publicApiUrl({ NEXT_PUBLIC_API_URL: raw })).toThrow(ConfigError);
    expect(() => publicApiUrl({ NEXT_PUBLIC_API_URL: raw })).toThrow(/^NEXT_PUBLIC_API_URL /);
  });

  it("never repeats a password", () => {
    expect(() => publicApiUrl({ NEXT_PUBLIC_API_URL: "https://u:hunter2@example.com" })).toThrow(
      /^(?!.*hunter2)/,
    );
  });
});

describe("backendUrl", () => {
  it("is undefined when empty, else an origin", () => {
    expect(backendUrl({})).toBeUndefined();
    expect(backendUrl({ BACKEND_URL: "http://backend-svc:8000" })?.href).toBe("http://backend-svc:8000/");
    expect(() => backendUrl({ BACKEND_URL: "http://backend-svc:8000/api" })).toThrow(/BACKEND_URL .*origin/);
    expect(() => backendUrl({ BACKEND_URL: "backend-svc:8000" })).toThrow(/BACKEND_URL/);
  });
});
