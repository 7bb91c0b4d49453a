import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // The end-to-end tests run the built command line.
    globalSetup: ["test/helpers/build.ts", "test/helpers/warm-gcloud.ts"],
    // Holds every answer of an emulator against Google's description of the API.
    setupFiles: ["test/helpers/fidelity.ts"],
    // Much of the time a test waits for processes, so that three find room on two cores.
    maxWorkers: Math.max(3, availableParallelism() - 1),
    testTimeout: 60_000,
    hookTimeout: 60_000,
    coverage: { provider: "v8", include: ["src/**"], reporter: ["text-summary", "json-summary"] },
  },
});
