/** A parsed image reference: `name` is the registry and the repository in it, such as `gcr.io/P/N`. */
export interface ImageReference {
  readonly name: string;
  readonly tag?: string;
  /** `sha256:…`, if the reference has a digest. */
  readonly digest?: string;
}

// https://github.com/distribution/reference
const COMPONENT = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const DOMAIN = "(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\\d+)?)";
const REFERENCE = new RegExp(`^(?:(${DOMAIN})/)?(${COMPONENT}(?:/${COMPONENT})*)(?::(\\w[\\w.-]{0,127}))?(?:@(sha256:[0-9a-f]{64}))?$`);

/** Parses an image reference as Docker does; undefined if it isn't valid, for example because of an upper-case letter in the name. */
export function parseImageReference(text: string): ImageReference | undefined {
  const [, firstComponent, rest = "", tag, digest] = REFERENCE.exec(text) ?? [];
  if (rest === "") return undefined;
  const isDomain = firstComponent !== undefined && (/[.:]/.test(firstComponent) || firstComponent === "localhost");
  const path = firstComponent === undefined || isDomain ? rest : `${firstComponent}/${rest}`;
  const domain = isDomain ? firstComponent : "docker.io";
  const name = `${domain}/${domain === "docker.io" && !path.includes("/") ? `library/${path}` : path}`;
  return { name, ...(tag && { tag }), ...(digest && { digest }) };
}

/** A reference's key in the state's `tags`; its tag defaults to `latest`. */
export function tagKey({ name, tag = "latest" }: ImageReference): string {
  return `${name}:${tag}`;
}
