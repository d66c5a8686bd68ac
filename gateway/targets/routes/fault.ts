/** The error of a route that cannot be used. */

/** A fault in a route as it is written. */
export class RouteFault extends Error {
  /**
   * @param path The place in the route: `elements[2].properties.limit`.
   * @param why Continues the place: `must be a number`.
   */
  constructor(readonly path: string, readonly why: string) {
    super(`${path}: ${why}`);
    this.name = "RouteFault";
  }
}
