/** The pages of documentation. */
import { ROOT } from "./bundle.ts";

/** A page, by its path below the root, e.g. `docs/options.md`. */
export interface Page {
  page: string;
  text: string;
}

/** A heading as GitHub makes an anchor of it. */
export const anchor = (heading: string): string =>
  heading.toLowerCase().replaceAll(/[^\w\- ]/g, "").replaceAll(" ", "-");

/** Reads the README, all of `docs` and the bench's page. */
export async function readPages(): Promise<Page[]> {
  const names = ["README.md", "bench/README.md"];
  for await (const { name } of Deno.readDir(`${ROOT}/docs`)) {
    if (name.endsWith(".md")) names.push(`docs/${name}`);
  }
  return await Promise.all(
    names.sort().map(async (page) => ({ page, text: await Deno.readTextFile(`${ROOT}/${page}`) })),
  );
}
