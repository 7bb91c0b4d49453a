import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // The end-to-end tests run the built command line.
    globalSetup: ["test/helpers/build.ts"],
    // Holds every answer of an emulator against Google's description of the API.
    setupFiles: ["test/helpers/fidelity.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    coverage: { provider: "v8", include: ["src/**"], reporter: ["text-summary", "json-summary"] },
  },
});
