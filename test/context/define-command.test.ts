import { InvalidArgumentError } from "commander";
import { expect, test } from "vitest";
import { argument } from "../../src/context/argument.ts";
import type { Context } from "../../src/context/context.ts";
import { defineCommand } from "../../src/context/define-command.ts";
import { durationFlag, flag, settingFlag, type OptionsOf } from "../../src/context/flag.ts";
import { parseWholeNumber } from "../../src/context/parse-number.ts";

const FLAGS = [
  settingFlag("--image <reference>", "a setting: not an option"),
  flag("--service-account <email>", "a value"),
  flag("-f, --follow", "a switch"),
  flag("--no-traffic", "a negated switch"),
  flag("--env <name=value>", "a list", { isRepeatable: true }),
  flag("--iap [client-id]", "a value that can be left out"),
  flag("--retries <number>", "a number that is always set", { parse: parseWholeNumber, default: 3 }),
  flag("--shell <name>", "a choice", { choices: ["bash", "zsh"] }),
  durationFlag("--max-time <duration>", "a duration"),
] as const;

interface Options {
  readonly serviceAccount?: string;
  readonly follow?: boolean;
  readonly traffic: boolean;
  readonly env?: readonly string[];
  readonly iap?: string | true;
  readonly retries: number;
  readonly shell?: "bash" | "zsh";
  readonly maxTimeMs?: number;
}

const definition = { name: "try", summary: "", description: "", arguments: [argument("[service]", "")], flags: FLAGS } as const;

type Service = string | undefined;

/** A handler that takes this after the context. */
function taking<Received extends readonly unknown[]>() {
  return async () =>
    async (..._received: readonly [context: Context, ...Received]): Promise<void> => {};
}

test("a handler that takes the declared arguments and options compiles", () => {
  const options: OptionsOf<typeof FLAGS> = { traffic: true, retries: 3, iap: true, shell: "zsh" };
  expect(options satisfies Options).toBe(options);
  expect(defineCommand({ ...definition, load: taking<[Service, Options]>() })).toMatchObject({ name: "try", flags: FLAGS });
});

// The compiler checks this one: an error that is expected and doesn't occur is an error.
test("a handler that takes other arguments or options doesn't compile", () => {
  type Renamed = Omit<Options, "serviceAccount"> & { readonly account?: string };
  type Retyped = Omit<Options, "retries"> & { readonly retries: string };
  const commands = [
    // @ts-expect-error The flag is --service-account.
    defineCommand({ ...definition, load: taking<[Service, Renamed]>() }),
    // @ts-expect-error No flag sets `force`.
    defineCommand({ ...definition, load: taking<[Service, Options & { readonly force?: boolean }]>() }),
    // @ts-expect-error The handler doesn't know --follow.
    defineCommand({ ...definition, load: taking<[Service, Omit<Options, "follow">]>() }),
    // @ts-expect-error --retries is a number.
    defineCommand({ ...definition, load: taking<[Service, Retyped]>() }),
    // @ts-expect-error --service-account can be left out.
    defineCommand({ ...definition, load: taking<[Service, Required<Options>]>() }),
    // @ts-expect-error The handler doesn't take the argument.
    defineCommand({ ...definition, load: taking<[Options]>() }),
    // @ts-expect-error The argument can be left out.
    defineCommand({ ...definition, load: taking<[string, Options]>() }),
    // @ts-expect-error The handler doesn't take the options.
    defineCommand({ ...definition, load: taking<[Service]>() }),
    // @ts-expect-error The command has no argument.
    defineCommand({ ...definition, arguments: [], load: taking<[Service, Options]>() }),
    // @ts-expect-error The command has no flags.
    defineCommand({ ...definition, flags: [], load: taking<[Service, Options]>() }),
  ];
  // @ts-expect-error `imag` isn't a setting.
  expect(settingFlag("--imag <reference>", "")).toBeDefined();
  expect(commands).toHaveLength(10);
});

test("a value that doesn't parse is commander's error", () => {
  expect(() => parseWholeNumber("many")).toThrow(InvalidArgumentError);
});
