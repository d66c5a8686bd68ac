/** Errors of the command line. */

/** The exit code of a command that is used wrongly. */
export const USAGE = 2;

/** An error whose message, one line, tells the user what to do. */
export class UserError extends Error {
  /** The exit code of the process. */
  readonly code: number;

  constructor(message: string, code = 1) {
    super(message);
    this.code = code;
  }
}
