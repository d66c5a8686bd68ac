/**
 * Real exchanges that were recorded elsewhere. They are not part of this project: where their folder is missing, the tests
 * that need them are ignored, and their names say why.
 */

/** One exchange; `stream` is an answer's event stream as text, `body` its JSON, `text` anything else. */
export interface Recording {
  /** File name. */
  name: string;
  /** The folder's name. */
  folder: string;
  id: string;
  provider: string;
  api: string;
  model: string;
  // deno-lint-ignore no-explicit-any -- Whatever JSON was sent.
  request: { host: string; path: string; body?: any } | null;
  // deno-lint-ignore no-explicit-any -- Whatever JSON came.
  response: { status: number; content_type: string | null; body?: any; stream?: string; text?: string };
}

const FOLDER = new URL("../../shared/recordings/", import.meta.url);

/** All recordings, or those of some folders. Empty where there are none. */
export function recordings(...only: string[]): Recording[] {
  if (!hasRecordings) return [];
  const folders = only.length > 0 ? only : [...Deno.readDirSync(FOLDER)]
    .filter(({ isDirectory }) => isDirectory).map(({ name }) => name).sort();
  return folders.flatMap((folder) => {
    const names = [...Deno.readDirSync(new URL(`${folder}/`, FOLDER))].map(({ name }) => name).sort();
    return names.filter((name) => name.endsWith(".json")).map((name) => ({
      ...JSON.parse(Deno.readTextFileSync(new URL(`${folder}/${name}`, FOLDER))),
      name,
      folder,
    }));
  });
}

const hasRecordings = (() => {
  try {
    return Deno.statSync(FOLDER).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
})();

/** Registers a test that needs the recordings. */
export function recordedTest(name: string, fn: (test: Deno.TestContext) => void | Promise<void>): void {
  Deno.test({
    name: hasRecordings ? name : `${name} (ignored: no folder ../shared/recordings)`,
    ignore: !hasRecordings,
    fn,
  });
}
