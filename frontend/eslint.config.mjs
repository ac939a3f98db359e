import { readdirSync } from "node:fs";
import { defineConfig } from "eslint/config";
import boundaries from "eslint-plugin-boundaries";
import jsxA11y from "eslint-plugin-jsx-a11y";
import reactHooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

/** Each layer may import from those after it. A feature's own are between `shell` and `ui`; none knows another. */
const features = readdirSync("src/features");
const part = (feature, layer) => ({
  type: `${feature}/${layer}`,
  pattern: `src/features/${feature}/${layer}`,
});
const shared = ["ui", "lib"];
const elements = [
  ...["app", "shell", ...shared].map((layer) => ({ type: layer, pattern: `src/${layer}` })),
  ...features.flatMap((feature) => ["components", "api", "model"].map((layer) => part(feature, layer))),
];
const may = (from, ...to) => ({
  from: { element: { type: from } },
  allow: { to: { element: { types: { anyOf: [from, ...to] } } } },
});
const entries = features.flatMap((feature) => [`${feature}/components`, `${feature}/api`]);
const policies = [
  may("app", "shell", ...entries, ...shared),
  may("shell", ...entries, ...shared),
  ...features.flatMap((feature) => [
    may(`${feature}/components`, `${feature}/api`, `${feature}/model`, ...shared),
    may(`${feature}/api`, `${feature}/model`, ...shared),
    may(`${feature}/model`, "lib"),
  ]),
  may("ui", "lib"),
  may("lib"),
];

export default defineConfig(
  { ignores: [".next", "e2e", "src/lib/api/generated", "next-env.d.ts"] },
  {
    files: ["src/**/*.{ts,tsx}"],
    extends: [tseslint.configs.strict, jsxA11y.flatConfigs.strict, reactHooks.configs.flat.recommended],
    languageOptions: { parserOptions: { projectService: true } },
    rules: { "jsx-a11y/no-autofocus": "off" },
  },
  {
    files: ["src/{app,shell,features,ui,lib}/**/*.{ts,tsx}"],
    ignores: ["**/*.test.{ts,tsx}"],
    plugins: { boundaries },
    settings: {
      "boundaries/elements": elements,
      "import/resolver": { typescript: { project: "tsconfig.json" } },
    },
    rules: {
      "boundaries/dependencies": ["error", { default: "disallow", policies }],
      "boundaries/no-unknown-files": "error",
    },
  },
);
