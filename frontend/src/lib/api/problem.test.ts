import { describe, expect, it } from "vitest";
import { ApiProblem, asProblem, problemFrom } from "./problem";

const response = (status: number, headers = {}) => new Response(null, { status, headers });

describe("problemFrom", () => {
  it("says what the server says about a request that was wrong", () => {
    const problem = problemFrom(response(422), {
      code: "validation_failed",
      detail: "The request is not valid: title.",
      errors: [{ field: "title", message: "Too long", code: "string_too_long" }],
      request_id: "abc",
    });
    expect(problem).toMatchObject({
      status: 422,
      code: "validation_failed",
      message: "The request is not valid: title.",
      requestId: "abc",
    });
    expect(problem.fieldMessage("title")).toBe("Too long");
    expect(problem.fieldMessage("tags")).toBeUndefined();
  });

  it("tells how long to wait after too many attempts", () => {
    expect(problemFrom(response(429, { "retry-after": "7" }), {}).message).toMatch(/in 7 seconds/);
    expect(problemFrom(response(429), {}).message).toMatch(/soon/);
  });

  it("shows no inner workings of a server that failed", () => {
    const problem = problemFrom(response(503, { "retry-after": "2" }), {
      detail: "psycopg.OperationalError",
    });
    expect(problem.message).not.toMatch(/psycopg/);
    expect(problem.retryAfter).toBe(2);
  });

  it("copes with a body that is no problem document", () => {
    expect(problemFrom(response(404), "<html>").message).toBe("The request failed (404).");
    expect(problemFrom(response(404), undefined).code).toBe("http_404");
  });
});

describe("asProblem", () => {
  it("takes anything else for a network that does not answer", () => {
    expect(asProblem(new TypeError("Failed to fetch"))).toMatchObject({ status: 0, code: "network" });
    const problem = new ApiProblem(404, {});
    expect(asProblem(problem)).toBe(problem);
  });
});
