/** The clients of google-auth-library that we use. Importing the whole package, or importing them lazily elsewhere, doubles the bundle. */
export { AwsClient } from "google-auth-library/build/src/auth/awsclient.js";
export { IdentityPoolClient } from "google-auth-library/build/src/auth/identitypoolclient.js";
export { Impersonated } from "google-auth-library/build/src/auth/impersonated.js";
export { OAuth2Client } from "google-auth-library/build/src/auth/oauth2client.js";
export { UserRefreshClient } from "google-auth-library/build/src/auth/refreshclient.js";
