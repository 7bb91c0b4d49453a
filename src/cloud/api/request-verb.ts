import { defineVerb, type Verb } from "../verb.ts";
import { requestLine, type ApiClient, type ApiRequest } from "./client.ts";

/** The client for what lies in a project, and in a region or location of it. */
export type ClientFor = (scope: { readonly project: string; readonly region?: string; readonly location?: string }) => ApiClient;

interface RequestVerb<Options, Message, Result> {
  request(options: Options): ApiRequest;
  read(message: Message, options: Options): Result;
  explain?(error: unknown, options: Options): unknown;
}

export function requestVerb<Options extends Parameters<ClientFor>[0], Message, Result>(
  clientFor: ClientFor,
  { request, read, explain = (error) => error }: RequestVerb<Options, Message, Result>,
): Verb<Options, Result> {
  return defineVerb({
    plan: (options) => [requestLine(request(options))],
    async run(options) {
      const message = await clientFor(options)
        .call<Message>(request(options))
        .catch((error: unknown) => {
          throw explain(error, options);
        });
      return read(message, options);
    },
  });
}
