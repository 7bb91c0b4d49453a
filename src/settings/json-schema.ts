import { getDescription, getMetadata } from "valibot";
import packageJson from "../../package.json" with { type: "json" };
import { projectFileShape } from "./project-file.ts";

/** The URL of this version's schema, for editors. */
export const SCHEMA_URL = `https://unpkg.com/cloudrun-oauth@${packageJson.version}/dist/cloudrun-oauth.schema.json`;

/** Converts the shape that `cloudrun-oauth.json` is read with to a JSON schema. https://json-schema.org/draft-07/json-schema-release-notes */
export function projectFileSchema(): object {
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    $id: SCHEMA_URL,
    title: "cloudrun-oauth.json",
    description: "cloudrun-oauth settings for a directory and its subdirectories.",
    type: "object",
    properties: Object.fromEntries(
      Object.entries(projectFileShape().entries).map(([name, { wrapped }]) => [
        name,
        { description: getDescription(wrapped), type: "string", ...getMetadata(wrapped) },
      ]),
    ),
    additionalProperties: false,
  };
}
