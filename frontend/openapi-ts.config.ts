import { defineConfig } from "@hey-api/openapi-ts";

/** The API's client, generated from its document: a function for each call and a type for each shape. */
export default defineConfig({
  input: "openapi.json",
  output: "src/lib/api/generated",
  plugins: [
    "@hey-api/typescript",
    // The browser sends the session's cookie by itself.
    { name: "@hey-api/sdk", auth: false },
    { name: "@hey-api/client-fetch", baseUrl: false },
  ],
});
