import { tmpdir } from "node:os";
import { join } from "node:path";
import { threadId } from "node:worker_threads";

/** Where the emulators of this test file record how they answer; `fidelity.ts` reads it after every test. */
export const RECORDING = join(tmpdir(), `cloudrun-oauth-recording-${process.pid}-${threadId}.jsonl`);
