// What the scripts that draw are held to, and their tests.
import js from "@eslint/js";
import globals from "globals";

export default [
  { ignores: [".venv/", "test-results/"] },
  js.configs.recommended,
  { files: ["pages/**/*.js"], languageOptions: { globals: globals.browser } },
  { files: ["eslint.config.js", "tests/**/*.js"], languageOptions: { globals: { ...globals.node, document: "readonly" } } },
  {
    linterOptions: { noInlineConfig: true }, // no file switches a rule off
    rules: {
      curly: ["error", "multi-line"],
      eqeqeq: "error",
      "max-lines": ["error", 400],
      "max-lines-per-function": ["error", 60],
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-param-reassign": "error",
      "no-shadow": "error",
      "no-throw-literal": "error",
      "no-unused-expressions": "error",
      "no-use-before-define": ["error", { functions: false, variables: false }],
      "no-var": "error",
      "object-shorthand": "error",
      "prefer-const": "error",
      "prefer-template": "error",
    },
  },
];
