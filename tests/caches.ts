/** What tests of the cache share. */

/** Whether an answer came from the cache; `null` if its request took no part. */
export const cacheStatus = ({ headers }: Response): string | null => headers.get("cf-aig-cache-status");

/** Reads an answer to its end. */
export const read = async (answer: Promise<Response>): Promise<string> => await (await answer).text();

/** Sends a request twice, the second time when the first answer has ended. The bodies are read. */
export async function twice(
  fetch: (request: Request) => Promise<Response>,
  request: () => Request,
): Promise<[Response, Response]> {
  const first = await fetch(request());
  await first.text();
  const second = await fetch(request());
  await second.text();
  return [first, second];
}
