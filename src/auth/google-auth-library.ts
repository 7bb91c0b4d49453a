/**
 * The clients of google-auth-library that we use. The whole package is twice the size. It is a module of its own because a bundler keeps
 * the export names of a lazily imported module only if it is ours.
 */
export { AwsClient } from "google-auth-library/build/src/auth/awsclient.js";
export { IdentityPoolClient } from "google-auth-library/build/src/auth/identitypoolclient.js";
export { Impersonated } from "google-auth-library/build/src/auth/impersonated.js";
export { OAuth2Client } from "google-auth-library/build/src/auth/oauth2client.js";
export { UserRefreshClient } from "google-auth-library/build/src/auth/refreshclient.js";
