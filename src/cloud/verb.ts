/** One verb of the control plane: what it would do, a line each as a person could run it, and doing it. Both come from the same builder. */
interface VerbParts<Options, Result> {
  plan(options: Options): readonly string[];
  run(options: Options): Promise<Result>;
}

/** A verb as its callers have it: `cloud.deploy(options)`. */
export interface Verb<Options, Result> {
  (options: Options): Promise<Result>;
  plan(options: Options): readonly string[];
}

export function defineVerb<Options, Result>({ plan, run }: VerbParts<Options, Result>): Verb<Options, Result> {
  return Object.assign((options: Options) => run(options), { plan });
}
