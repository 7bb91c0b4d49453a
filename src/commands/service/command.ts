import type { Command } from "commander";
import { collect, run, withExamples, type Execute } from "../../context/define-command.ts";

/** The road from an empty folder to a service that its members may call. */
export function addServiceCommands(program: Command, execute: Execute): void {
  program.commandsGroup("From an empty folder to a private service:");

  withExamples(
    program
      .command("init")
      .summary("write a service that deploys as it is")
      .description("Write a service that deploys as it is, and its cloudrun-oauth.json.")
      .argument("[dir]", "an empty or new folder (default: this one)")
      .option("--template <name>", "hono, express, flask or fastapi (default: hono)")
      .action(run(execute, async () => (await import("../init/init.ts")).init)),
    [["cloudrun-oauth init hello"], ["cloudrun-oauth init hello --template flask --service hello-flask"]],
  );

  withExamples(
    program
      .command("build")
      .summary("build the image with Cloud Build")
      .description(
        "Build the folder's Dockerfile with Cloud Build, and push the image.\nThe repository is made where it is missing.\n" +
          "Behind -- stand flags of gcloud builds submit; by Google's API: --timeout, --machine-type, --disk-size.",
      )
      .argument("[dir]", "the folder with the Dockerfile (default: this one)")
      .usage("[options] [dir] [-- gcloud flags]")
      .option("--image <reference>", "where to push (default: REGION-docker.pkg.dev/PROJECT/cloudrun-oauth/SERVICE)")
      .action(run(execute, async () => (await import("./build.ts")).build, { takesRest: true })),
    [
      ["cloudrun-oauth build"],
      ["cloudrun-oauth build ./hello --image europe-west1-docker.pkg.dev/my-project/apps/hello:v2"],
      ["cloudrun-oauth build -- --timeout 30m --machine-type e2-highcpu-8"],
    ],
  );

  withExamples(
    program
      .command("deploy")
      .summary("deploy the image, private unless said otherwise")
      .description(
        "Deploy an image, or a folder's source, as a service that only its members may call.\n" +
          "Behind -- stand flags of gcloud's; by Google's API, those that most deployments need: --memory, --cpu, --timeout …",
      )
      .argument("[service]", "the service")
      .usage("[options] [service] [-- gcloud flags]")
      .option("--image <reference>", "the image (default: the one that build pushes)")
      .option("--source <dir>", "build and deploy this folder instead of an image")
      .option("--tag <name>", "give the revision a URL of its own")
      .option("--no-traffic", "send it no traffic yet")
      .option("--env <name=value>", "an environment variable; may be repeated", collect)
      .option("--service-account <email>", "the account that the service runs as")
      .option("--allow-unauthenticated", "let everybody call it")
      .action(run(execute, async () => (await import("./deploy.ts")).deploy, { takesRest: true })),
    [
      ["cloudrun-oauth deploy"],
      ["cloudrun-oauth deploy hello --no-traffic --tag next"],
      ["cloudrun-oauth deploy hello -- --memory 1Gi --cpu 2"],
    ],
  );

  withExamples(
    program
      .command("describe")
      .summary("show a service: URLs, revision, image, traffic, members")
      .description(
        "Show a service: URLs, revision, when it was deployed and by whom, image, what an instance is and takes, the names of its variables, traffic, members, conditions, and its page in Google's console.",
      )
      .argument("[service]", "the service")
      .option("--url", "print its URL only")
      .action(run(execute, async () => (await import("./describe.ts")).describe)),
    [["cloudrun-oauth describe hello"], ["export CLOUD_RUN_SERVICE_URL=$(cloudrun-oauth describe hello --url)"]],
  );

  const role = ["--role <role>", "the role", "roles/run.invoker"] as const;
  withExamples(
    program
      .command("grant")
      .summary("let a member call a service")
      .description("Let a member call a service. A bare e-mail address gets its serviceAccount: or user: prefix.")
      .argument("[service]", "the service")
      .option("--member <member>", "who: an e-mail address, group:…, domain:…, allUsers")
      .option(...role)
      .option("--wait", "come back when the grant has taken effect")
      .action(run(execute, async () => (await import("./grant.ts")).grant)),
    [["cloudrun-oauth grant hello --member caller@my-project.iam.gserviceaccount.com --wait"]],
  );

  withExamples(
    program
      .command("revoke")
      .summary("take a grant back")
      .description("Take a member's role on a service back. Says so where the project gives it, or another role that lets call.")
      .argument("[service]", "the service")
      .option("--member <member>", "who: an e-mail address, group:…, domain:…, allUsers")
      .option(...role)
      .action(run(execute, async () => (await import("./revoke.ts")).revoke)),
    [["cloudrun-oauth revoke hello --member caller@my-project.iam.gserviceaccount.com"]],
  );

  withExamples(
    program
      .command("members")
      .summary("show who may call a service")
      .description(
        "Show who may call a service: by a role on the service itself or on its project, and under which condition.\nWhat a folder or the organisation grants on top is not looked at.",
      )
      .argument("[service]", "the service")
      .option("--all", "every role, those too that do not let call")
      .action(run(execute, async () => (await import("./members.ts")).members)),
    [["cloudrun-oauth members hello"], ["cloudrun-oauth members hello --all --json"]],
  );
}
