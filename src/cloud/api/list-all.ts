import type { ApiClient, ApiRequest } from "./client.ts";

type PageReader<Page, Item> = (page: Page) => readonly [items: readonly Item[] | undefined, nextToken: string | undefined];

/** The items of all pages of a list, in order; no more than the limit. An empty page need not be the last. https://google.aip.dev/158 */
export async function listAll<Page, Item>(
  client: ApiClient,
  request: (token: string | undefined, maxItems: number) => ApiRequest,
  read: PageReader<Page, Item>,
  limit = Number.POSITIVE_INFINITY,
): Promise<Item[]> {
  const all: Item[] = [];
  let token: string | undefined;
  do {
    const [items = [], nextToken] = read(await client.call<Page>(request(token, limit - all.length)));
    all.push(...items);
    token = nextToken;
  } while (token && all.length < limit);
  return all.slice(0, limit);
}
