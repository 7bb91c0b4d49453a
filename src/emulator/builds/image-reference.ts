/** What names an image: `name` is the registry and the repository in it, `gcr.io/P/N`. */
export interface ImageReference {
  readonly name: string;
  readonly tag?: string;
  /** `sha256:…`, where the reference has one. */
  readonly digest?: string;
}

// https://github.com/distribution/reference
const COMPONENT = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const DOMAIN = "(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\\d+)?)";
const REFERENCE = new RegExp(`^(?:(${DOMAIN})/)?(${COMPONENT}(?:/${COMPONENT})*)(?::(\\w[\\w.-]{0,127}))?(?:@(sha256:[0-9a-f]{64}))?$`);

/** Reads an image reference as Docker does; undefined where Docker would not take it, as with an upper-case letter in the name. */
export function parseImageReference(text: string): ImageReference | undefined {
  const [, first, rest = "", tag, digest] = REFERENCE.exec(text) ?? [];
  if (rest === "") return undefined;
  const isDomain = first !== undefined && (/[.:]/.test(first) || first === "localhost");
  const path = first === undefined || isDomain ? rest : `${first}/${rest}`;
  const domain = isDomain ? first : "docker.io";
  const name = `${domain}/${domain === "docker.io" && !path.includes("/") ? `library/${path}` : path}`;
  return { name, ...(tag && { tag }), ...(digest && { digest }) };
}

/** The key of a reference in the state's `tags`: with the tag that it has, or `latest`. */
export function tagKey({ name, tag = "latest" }: ImageReference): string {
  return `${name}:${tag}`;
}
