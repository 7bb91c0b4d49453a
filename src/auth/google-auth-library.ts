/**
 * The clients of google-auth-library that are used. The package as a whole is twice the size; and where a bundle is split, only a module
 * of our own can be imported lazily by the names that it exports.
 */
export { AwsClient } from "google-auth-library/build/src/auth/awsclient.js";
export { IdentityPoolClient } from "google-auth-library/build/src/auth/identitypoolclient.js";
export { Impersonated } from "google-auth-library/build/src/auth/impersonated.js";
export { OAuth2Client } from "google-auth-library/build/src/auth/oauth2client.js";
export { UserRefreshClient } from "google-auth-library/build/src/auth/refreshclient.js";
