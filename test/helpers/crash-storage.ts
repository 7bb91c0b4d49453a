import { createHash, randomBytes } from "node:crypto";
import { expect } from "vitest";
import type { Json } from "./api-server.ts";
import type { Ledger } from "./ledger.ts";

const STORAGE = "https://storage.googleapis.com";

/** Where a build finds its source. */
interface Source {
  readonly bucket: string;
  readonly object: string;
  readonly bytes: Buffer;
}

/** The steps in Cloud Storage. They upload the `sources` in turn; `source` returns the last one. */
export function storageSteps(ledger: Ledger, project: string, sources: readonly Buffer[]) {
  const { ask, get, remember } = ledger;
  let count = 0;
  let bucket = "";
  let source: Source = { bucket, object: "", bytes: Buffer.alloc(0) };

  const objectUrl = (name: string): string => `${STORAGE}/storage/v1/b/${bucket}/o/${name}`;
  const uploadUrl = (type: string): string => `${STORAGE}/upload/storage/v1/b/${bucket}/o?uploadType=${type}`;
  const rememberObject = (url: string, document: Json, bytes: Buffer): void => {
    expect(document["md5Hash"]).toBe(createHash("md5").update(bytes).digest("base64"));
    remember(url, document);
    const media = `${url}?alt=media`;
    ledger.promise(media, async () => expect([media, (await ask("GET", media)).bytes.equals(bytes)]).toEqual([media, true]));
  };
  const store = (name: string, bytes: Buffer): Promise<Json> => {
    const head = `--edge\r\ncontent-type: application/json\r\n\r\n${JSON.stringify({ name })}\r\n--edge\r\ncontent-type: application/gzip\r\n\r\n`;
    const body = Buffer.concat([Buffer.from(head), bytes, Buffer.from("\r\n--edge--\r\n")]);
    return ledger.send("POST", uploadUrl("multipart"), body, { "content-type": "multipart/related; boundary=edge" });
  };

  const steps = {
    async bucket() {
      const name = `crash-${(count += 1)}`;
      remember(`${STORAGE}/storage/v1/b/${name}`, await ledger.send("POST", `${STORAGE}/storage/v1/b?project=${project}`, { name }));
      bucket = name;
    },
    async upload() {
      const object = `source-${(count += 1)}.tgz`;
      const bytes = sources[(sources.indexOf(source.bytes) + 1) % sources.length] as Buffer;
      rememberObject(objectUrl(object), await store(object, bytes), bytes);
      source = { bucket, object, bytes };
    },
    async overwrite() {
      const name = `overwritten-${(count += 1)}`;
      const url = objectUrl(name);
      const [one, two] = [randomBytes(1000), randomBytes(300_000)];
      const before = await store(name, one);
      ledger.promise(url, async () => {
        const document = await get(url);
        rememberObject(url, document, document.generation === before.generation ? one : two);
        expect((await ask("GET", `${url}?alt=media`)).bytes.length).toBe(Number(document.size));
      });
      rememberObject(url, await store(name, two), two);
    },
    async drop() {
      const name = `dropped-${(count += 1)}`;
      await store(name, Buffer.from("to be deleted"));
      expect((await ask("DELETE", objectUrl(name))).status).toBe(204);
      ledger.rememberGone(objectUrl(name));
    },
    async resumable() {
      const bytes = randomBytes(700_000);
      const name = `resumed-${(count += 1)}`;
      const url = objectUrl(name);
      const { headers } = await ask("POST", `${uploadUrl("resumable")}&name=${name}`, { body: {} });
      const session = headers.location as string;
      const put = (range: string, body = Buffer.alloc(0)) =>
        ask("PUT", session, { body, headers: { "content-range": `bytes ${range}/${bytes.length}` } });
      let acknowledged = 0;
      // Asks the emulator how much it has received, as clients do after a lost connection.
      const finish = async (): Promise<void> => {
        let answer = await put("*");
        if (answer.status === 308) {
          const received = Number(/-(\d+)$/.exec(String(answer.headers["range"]))?.[1] ?? -1) + 1;
          expect(received).toBeGreaterThanOrEqual(acknowledged);
          answer = await put(received < bytes.length ? `${received}-${bytes.length - 1}` : "*", bytes.subarray(received));
        }
        expect(answer).toMatchObject({ status: 200 });
        ledger.forget(session);
        rememberObject(url, answer.json, bytes);
      };
      ledger.promise(session, finish);
      for (const end of [262_144, 524_288]) {
        const answer = await put(`${acknowledged}-${end - 1}`, bytes.subarray(acknowledged, end));
        expect(answer.headers["range"]).toBe(`bytes=0-${end - 1}`);
        acknowledged = end;
      }
      await finish();
    },
  };
  return { steps, source: () => source };
}
