import type { Api } from "../server/router.ts";
import type { TokenRuntime } from "../runtime.ts";
import { accountRoutes } from "../iam/account-routes.ts";
import { keyRoutes } from "../iam/key-routes.ts";
import { poolRoutes } from "../iam/pool-routes.ts";
import { providerRoutes } from "../iam/provider-routes.ts";
import { roleRoutes } from "../iam/role-routes.ts";

/** https://cloud.google.com/iam/docs/reference/rest */
export function createIamApi(runtime: TokenRuntime): Api {
  return {
    hosts: ["iam.googleapis.com"],
    routes: { ...accountRoutes(runtime), ...keyRoutes(runtime), ...poolRoutes(runtime), ...providerRoutes(runtime), ...roleRoutes },
  };
}
