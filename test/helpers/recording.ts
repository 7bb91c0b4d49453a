import { tmpdir } from "node:os";
import { join } from "node:path";
import { threadId } from "node:worker_threads";

/** The file in which the emulators of this test file record their answers: `fidelity.ts` reads it after every test. */
export const RECORDING = join(tmpdir(), `cloudrun-oauth-recording-${process.pid}-${threadId}.jsonl`);
