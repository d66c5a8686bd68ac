import type { Provider } from "./types.ts";
export function nativeUrl(provider: Provider, path: string, account?: string): string | undefined {
  return provider.baseUrl.replace("{account}", account ?? "") + "/" + path.replace(/^v1\//, "");
}
