interface Region {
  readonly code: string;
  readonly displayName: string;
}

/** Cloud Run's regions: https://cloud.google.com/run/docs/locations */
export const REGIONS: ReadonlyMap<string, Region> = new Map(
  Object.entries({
    "africa-south1": { code: "bq", displayName: "Johannesburg" },
    "asia-east1": { code: "de", displayName: "Taiwan" },
    "asia-east2": { code: "df", displayName: "Hong Kong" },
    "asia-northeast1": { code: "an", displayName: "Tokyo" },
    "asia-northeast2": { code: "dt", displayName: "Osaka" },
    "asia-northeast3": { code: "du", displayName: "Seoul" },
    "asia-south1": { code: "el", displayName: "Mumbai" },
    "asia-south2": { code: "em", displayName: "Delhi" },
    "asia-southeast1": { code: "as", displayName: "Singapore" },
    "asia-southeast2": { code: "et", displayName: "Jakarta" },
    "asia-southeast3": { code: "eu", displayName: "Bangkok" },
    "australia-southeast1": { code: "ts", displayName: "Sydney" },
    "australia-southeast2": { code: "km", displayName: "Melbourne" },
    "europe-central2": { code: "lm", displayName: "Warsaw" },
    "europe-north1": { code: "lz", displayName: "Finland" },
    "europe-north2": { code: "ma", displayName: "Stockholm" },
    "europe-southwest1": { code: "no", displayName: "Madrid" },
    "europe-west1": { code: "ew", displayName: "Belgium" },
    "europe-west2": { code: "nw", displayName: "London" },
    "europe-west3": { code: "ey", displayName: "Frankfurt" },
    "europe-west4": { code: "ez", displayName: "Netherlands" },
    "europe-west6": { code: "oa", displayName: "Zurich" },
    "europe-west8": { code: "oc", displayName: "Milan" },
    "europe-west9": { code: "od", displayName: "Paris" },
    "europe-west10": { code: "oe", displayName: "Berlin" },
    "europe-west12": { code: "og", displayName: "Turin" },
    "me-central1": { code: "ww", displayName: "Doha" },
    "me-central2": { code: "wx", displayName: "Dammam" },
    "me-west1": { code: "zf", displayName: "Tel Aviv" },
    "northamerica-northeast1": { code: "nn", displayName: "Montreal" },
    "northamerica-northeast2": { code: "pd", displayName: "Toronto" },
    "northamerica-south1": { code: "pv", displayName: "Queretaro" },
    "southamerica-east1": { code: "rj", displayName: "Sao Paulo" },
    "southamerica-west1": { code: "tl", displayName: "Santiago" },
    "us-central1": { code: "uc", displayName: "Iowa" },
    "us-east1": { code: "ue", displayName: "South Carolina" },
    "us-east4": { code: "uk", displayName: "Northern Virginia" },
    "us-east5": { code: "ul", displayName: "Columbus" },
    "us-south1": { code: "vp", displayName: "Dallas" },
    "us-west1": { code: "uw", displayName: "Oregon" },
    "us-west2": { code: "wl", displayName: "Los Angeles" },
    "us-west3": { code: "wm", displayName: "Salt Lake City" },
    "us-west4": { code: "wn", displayName: "Las Vegas" },
  }),
);

export function regionOfCode(code: string): string | undefined {
  for (const [name, region] of REGIONS) if (region.code === code) return name;
  return undefined;
}
