/** Stored keys of one alias, as requests take them. */

/** A stored key, for one attempt. */
export interface TakenKey {
  /** `undefined` if a function gets the key, and was not asked for it. */
  key: string | undefined;
  /** Tells the ring the provider's answer. After 401 or 429 the key rests for a while. */
  report(response: Response): void;
}

/** The keys of one alias, used in turn. */
export interface KeyRing {
  /** Gets the key that a function makes, before it is taken. @returns A promise only if there is something to wait for. */
  ready?(): Promise<void> | undefined;
  /** The next key that does not rest; if all rest, the key whose rest ends first. */
  take(): TakenKey;
  /** Whether there is a key that does not rest. */
  isFree(): boolean;
}
