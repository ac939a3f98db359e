import type { ApiProblem } from "./api/problem";

/** What the API asks of a new password. */
export const MIN_PASSWORD = 8;

/** What is wrong with a new password as far as a browser can tell; the API knows the common ones. */
export const newPasswordFault = (password: string): string | undefined =>
  password.length < MIN_PASSWORD ? `Use at least ${MIN_PASSWORD} characters.` : undefined;

/** What the API says of the new password, for the field that has that name in its requests. */
export const refusedPassword = (problem: ApiProblem | null, field: string): string | undefined =>
  problem?.code === "weak_password" ? problem.message : problem?.fieldMessage(field);
