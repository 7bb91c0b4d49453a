import { requestLine, type ApiClient } from "../../cloud/api/client.ts";
import { createRepository, createRepositoryRequest, repositoryRequest } from "../../cloud/api/artifact-registry.ts";
import { DEFAULT_REPOSITORY, defaultImage, parseRepository, type Repository } from "../../cloud/repository.ts";
import { CliError } from "../../errors/cli-error.ts";
import { nextStep } from "../../errors/next-step.ts";
import { fail, ok, skip, warn, type Check } from "./check.ts";
import type { Facts } from "./facts.ts";
import { requireFact } from "./require-fact.ts";

interface ExistingRepository {
  readonly format?: string;
}

/** The repository that images are pushed to. */
export const imageChecks: readonly Check[] = [
  {
    name: "repository",
    async run(facts) {
      const image = await findImage(facts);
      const repository = parseRepository(image);
      if (!repository) return skip(`${image} isn't in Artifact Registry.`);
      await requireFact("project", facts.project());
      const client = await facts.client();
      const { name, location, project } = repository;
      const place = `${name} in ${location} (project ${project})`;
      const details = { image, repository: name, location, project };
      const existing = await findRepository(client, repository);
      if (existing && (existing.format ?? "DOCKER") !== "DOCKER")
        return fail("NOT_FOUND", `Repository ${place} has the format ${existing.format}, not DOCKER.`, {
          next: [nextStep("To use another repository", "config", "set", "image", "REGION-docker.pkg.dev/PROJECT/REPOSITORY/NAME")],
          details,
        });
      if (existing) return ok(`Images are pushed to ${place}.`, { details });
      const fix = {
        question: `Create repository ${place}?`,
        running: `Creating repository ${name}`,
        done: `Created repository ${name}`,
        plan: [requestLine(createRepositoryRequest(repository))],
        apply: async ({ client, context }: Facts) => createRepository(await client(), repository, context.signal),
      };
      // The first build creates the default repository.
      if (name === DEFAULT_REPOSITORY) return warn(`Repository ${place} doesn't exist yet; the first build creates it.`, { details, fix });
      return fail("NOT_FOUND", `Repository ${place} not found.`, { details, fix });
    },
  },
  {
    name: "gcr",
    async run(facts) {
      const image = await findImage(facts);
      const [, host, project] = /^((?:(?:us|eu|asia)\.)?gcr\.io)\/([^/]+)\//.exec(image) ?? [];
      if (!host || !project) return ok("The image isn't on gcr.io, which has been shut down.", { details: { image } });
      await requireFact("project", facts.project());
      const location = host === "gcr.io" ? "us" : host === "eu.gcr.io" ? "europe" : (host.split(".")[0] ?? "us");
      const details = { image, host, location };
      // https://cloud.google.com/artifact-registry/docs/transition/setup-gcr-repo: the host's name becomes the name of a repository.
      const existing = await findRepository(await facts.client(), { name: host, location, project });
      if (existing) return ok(`Artifact Registry serves ${host} in project ${project}.`, { details });
      const other = defaultImage({ ...(await facts.place()), service: image.split("/").at(-1)?.split(/[:@]/)[0] ?? "NAME" });
      return fail("PERMISSION_DENIED", `${image} is on ${host}, but Container Registry has been shut down.`, {
        next: [nextStep("To use Artifact Registry", "config", "set", "image", other)],
        details,
      });
    },
  },
];

async function findImage(facts: Facts): Promise<string> {
  const { settings } = facts.context;
  const place = await requireFact("project", facts.place());
  return settings.get("image")?.value ?? defaultImage({ ...place, service: settings.get("service")?.value ?? "SERVICE" });
}

async function findRepository(client: ApiClient, repository: Repository): Promise<ExistingRepository | undefined> {
  try {
    return await client.call<ExistingRepository>(repositoryRequest(repository));
  } catch (error) {
    if (error instanceof CliError && error.code === "NOT_FOUND") return undefined;
    throw error;
  }
}
