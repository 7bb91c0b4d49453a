import type { ApiClient, ApiRequest } from "./client.ts";

/** https://google.aip.dev/158, or a list of Knative. */
interface Page {
  readonly nextPageToken?: string;
  readonly metadata?: { readonly continue?: string };
}

/** The items of all pages of a list, in order, from a field of each page; no more than the limit. An empty page need not be the last. */
export async function listAll<Item>(
  client: ApiClient,
  field: string,
  request: (token: string | undefined, maxItems: number) => ApiRequest,
  limit = Number.POSITIVE_INFINITY,
): Promise<Item[]> {
  const all: Item[] = [];
  let token: string | undefined;
  do {
    const page = await client.call<Page & Readonly<Record<string, readonly Item[] | undefined>>>(request(token, limit - all.length));
    all.push(...(page[field] ?? []));
    token = page.nextPageToken ?? page.metadata?.continue;
  } while (token && all.length < limit);
  return all.slice(0, limit);
}
