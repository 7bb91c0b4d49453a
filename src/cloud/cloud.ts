import type { Tell } from "../terminal/progress.ts";
import type { ImageName, StoredImage } from "./images.ts";
import type { SetupOutcome, SetupStep } from "./pipeline-setup.ts";
import type { AccountVerbs } from "./accounts.ts";
import type { LogVerbs } from "./logs.ts";
import type { Revision, Service, Variable } from "./service.ts";
import type { TrafficOptions } from "./traffic.ts";
import type { Place, ProjectName, ServiceName } from "./names.ts";
import type { Repository } from "./repository.ts";

interface CloudVerbs extends AccountVerbs, LogVerbs {
  build(options: BuildOptions): Promise<BuildResult>;
  deploy(options: DeployOptions): Promise<Service>;
  describe(options: ServiceName): Promise<Service>;
  policy(options: ServiceName): Promise<Policy>;
  /** Adds a member to a role on the service; other bindings stay as they are. */
  grant(options: GrantOptions): Promise<Policy>;
  /** Removes a member from a role on the service. Throws NOT_FOUND, with the role in its details, if the member doesn't have it. */
  revoke(options: GrantOptions): Promise<Policy>;
  projectNumber(options: ProjectName): Promise<string>;
  projectPolicy(options: ProjectName): Promise<Policy>;
  /** Enables APIs by their names (`run.googleapis.com`) in a project; resolves when they are enabled. */
  enable(options: EnableOptions): Promise<void>;
  /** Creates one thing that a pipeline needs, if it is missing. */
  setUp(step: SetupStep): Promise<SetupOutcome>;
  list(options: ListOptions): Promise<readonly Service[]>;
  /** A service's revisions, the newest first. Throws NOT_FOUND if the service doesn't exist. */
  revisions(options: ServiceName): Promise<readonly Revision[]>;
  /** Splits a service's traffic, and sets and removes tags; resolves when that has taken effect. Creates no revision. */
  traffic(options: TrafficOptions): Promise<Service>;
  /** Deletes a service with its revisions and its policy; resolves when it is gone. Throws NOT_FOUND if it doesn't exist. */
  delete(options: ServiceName): Promise<void>;
  /** The variables of a service's next revision, which are those of its latest one unless another client changed the service. */
  environment(options: ServiceName): Promise<readonly Variable[]>;
  /** Creates a revision with changed variables; unsetting a variable that doesn't exist is not an error. */
  setEnvironment(options: EnvironmentOptions): Promise<Service>;
  /** Sets and removes labels of a service, which creates a revision. */
  setLabels(options: LabelOptions): Promise<Service>;
  /** A repository's labels. Throws NOT_FOUND if the repository doesn't exist. */
  repository(options: Repository): Promise<{ readonly labels: Readonly<Record<string, string>> }>;
  /** The images of a repository, by name and digest. Throws NOT_FOUND if the repository doesn't exist. */
  images(options: Repository): Promise<readonly StoredImage[]>;
  /** Deletes an image with its tags; services that run it continue to run. */
  deleteImage(options: ImageName): Promise<void>;
  deleteRepository(options: Repository): Promise<void>;
}

type VerbName = keyof CloudVerbs;
type VerbOptions<Name extends VerbName> = Parameters<CloudVerbs[Name]>[0];

/** The control plane through gcloud (`gcloud/`) or through Google's APIs (`api/`): both return the same objects. */
export interface Cloud extends CloudVerbs {
  readonly via: "gcloud" | "api";
  /** What a verb would do, one line each as a person could run it; changes nothing. */
  plan<Name extends VerbName>(verb: Name, options: VerbOptions<Name>): readonly string[];
}

/** Every verb with its plan, as a back end defines it. */
type VerbTable = { readonly [Name in VerbName]: CloudVerbs[Name] & { plan(options: VerbOptions<Name>): readonly string[] } };

export function createCloud(via: Cloud["via"], verbs: VerbTable): Cloud {
  return { ...verbs, via, plan: (verb, options) => verbs[verb].plan(options) };
}

export interface EnableOptions extends ProjectName {
  readonly apis: readonly string[];
}

export interface BuildOptions extends Place {
  /** The folder with the Dockerfile; absolute. */
  readonly directory: string;
  readonly image: string;
  readonly repositoryLabels?: Readonly<Record<string, string>>;
  /** Passed on to gcloud unchanged. */
  readonly gcloudFlags?: readonly string[];
  /** Shows on a terminal what the build is doing. */
  readonly tell?: Tell;
}

export interface BuildResult {
  readonly id: string;
  readonly image: string;
  /** `sha256:…` of the pushed image. */
  readonly digest: string;
  readonly log_url: string | null;
  /** Seconds from the build's start to its end. */
  readonly duration: number;
}

export interface DeployOptions extends ServiceName {
  /** Exactly one of `image` and `source`. */
  readonly image?: string;
  readonly source?: string;
  readonly tag?: string;
  readonly noTraffic?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  readonly serviceAccount?: string;
  /** Added to the service's labels; its revisions get all of them. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly allowUnauthenticated?: boolean;
  /** Passed on to gcloud unchanged. */
  readonly gcloudFlags?: readonly string[];
  readonly tell?: Tell;
}

export interface ListOptions {
  readonly project: string;
  readonly region?: string;
}

export interface EnvironmentOptions extends ServiceName {
  readonly set?: Readonly<Record<string, string>>;
  readonly unset?: readonly string[];
}

export interface LabelOptions extends ServiceName {
  readonly set?: Readonly<Record<string, string>>;
  readonly remove?: readonly string[];
}

export interface GrantOptions extends ServiceName {
  readonly member: string;
  readonly role: string;
}

export interface Policy {
  readonly bindings: readonly Binding[];
  readonly etag: string;
}

export interface Binding {
  readonly role: string;
  readonly members: readonly string[];
  /** The binding applies only if this is true; a binding with another condition is another binding. */
  readonly condition?: { readonly title?: string; readonly description?: string; readonly expression: string };
}
