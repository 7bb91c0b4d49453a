import { Environment, type ASTNode } from "@marcbachmann/cel-js";
import { invalidArgument } from "../server/errors.ts";
import type { Binding } from "../state/resources.ts";
import { extract } from "./extract.ts";

type Condition = NonNullable<Binding["condition"]>;

interface Attributes {
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** The full name of the resource that the permission is checked on. */
  readonly resource: string;
}

// https://cloud.google.com/iam/docs/conditions-attribute-reference#functions
const FUNCTIONS = new Set(["timestamp", "date", "duration", "startsWith", "endsWith", "extract"]);
const DATE_PART = /^get(Date|DayOfMonth|DayOfWeek|DayOfYear|FullYear|Hours|Milliseconds|Minutes|Month|Seconds)$/;

// Created at its first use: most emulators never evaluate a condition, and creating it takes a while.
let celEnvironment: Environment | undefined;
const environment = (): Environment =>
  (celEnvironment ??= new Environment()
    .registerVariable({ name: "request", schema: { time: "google.protobuf.Timestamp" } })
    .registerVariable({ name: "resource", schema: { name: "string" } })
    .registerFunction("date(string): google.protobuf.Timestamp", (date: string) => new Date(`${date}T00:00:00Z`))
    .registerFunction("string.extract(string): string", extract));

/**
 * Parses a binding's condition in a setIamPolicy request; undefined if there is none. Throws ApiError INVALID_ARGUMENT if the emulator
 * can't evaluate it, and names the part that it can't.
 */
export function parseCondition(condition: unknown, at: string): Condition | undefined {
  if (condition === undefined || condition === null) return undefined;
  if (typeof condition !== "object") throw invalidArgument(`Invalid value at '${at}'.`);
  const { expression, title, description = "" } = condition as Record<string, unknown>;
  if (typeof title !== "string" || title === "") throw invalidArgument(`Invalid value at '${at}.title': a title is required.`);
  if (typeof description !== "string") throw invalidArgument(`Invalid value at '${at}.description' (TYPE_STRING).`);
  if (typeof expression !== "string" || expression === "")
    throw invalidArgument(`Invalid value at '${at}.expression': an expression is required.`);
  checkExpression(expression, at);
  return { expression, title, ...(description && { description }) };
}

// Unlike Cloud Run: resource.name contains the project's id for all kinds of resources; for some, Google's contains its number.
/** Whether a condition is met; a condition whose evaluation fails isn't. */
export function isConditionMet({ expression }: Condition, { time, resource }: Attributes): boolean {
  try {
    return environment().evaluate(expression, { request: { time: new Date(time) }, resource: { name: resource } }) === true;
  } catch {
    return false;
  }
}

// Unlike Cloud Run: conditions can only use request.time and resource.name; policies with other conditions are refused.
function checkExpression(expression: string, at: string): void {
  const refuse = (reason: string) => {
    throw invalidArgument(`Invalid value at '${at}.expression': ${reason}`);
  };
  const { valid, type, error } = environment().check(expression);
  if (error?.code === "unknown_variable" || error?.code === "no_such_key") {
    const { start = 0, end = 0 } = error.range ?? {};
    const name = /[\w.]*$/.exec(expression.slice(0, end))?.[0] ?? expression.slice(start, end);
    refuse(`the emulator supports only request.time and resource.name, not ${name}.`);
  }
  if (!valid) refuse(`${error?.name === "ParseError" ? "syntax error: " : ""}${error?.summary}.`);
  if (type !== "bool") refuse(`expected a result of type bool, not ${type}.`);
  const unknown = [...functionsIn(environment().parse(expression).ast)].find((name) => !FUNCTIONS.has(name) && !DATE_PART.test(name));
  if (unknown !== undefined) refuse(`undeclared reference to the function ${unknown}.`);
}

function* functionsIn({ op, args }: ASTNode): Generator<string> {
  if (op === "call" || op === "rcall") yield args[0];
  for (const argument of [args].flat(2)) if (isNode(argument)) yield* functionsIn(argument);
}

function isNode(value: unknown): value is ASTNode {
  return typeof value === "object" && value !== null && "op" in value;
}
