/**
 * Signatures of Amazon's test suite for Signature Version 4.
 *
 * @see https://github.com/boto/botocore/tree/develop/tests/unit/auth/aws4_testsuite
 */
import { signature } from "../../../providers/sign/amazon.ts";

/** Keys of Amazon's documentation. */
const PAIR = {
  accessKeyId: "AKIDEXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
};
const SESSION =
  "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/" +
  "qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xV" +
  "qr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";

const SCOPE = "AKIDEXAMPLE/20150830/us-east-1/service/aws4_request";

/** A request of the suite: its `authorization` there, and ours. */
interface Signature {
  name: string;
  authorization: string;
  sign(): Promise<string | null>;
}

function row(name: string, method: string, path: string, digits: string, sessionToken?: string): Signature {
  const names = `host;x-amz-date${sessionToken ? ";x-amz-security-token" : ""}`;
  return {
    name,
    authorization: `AWS4-HMAC-SHA256 Credential=${SCOPE}, SignedHeaders=${names}, Signature=${digits}`,
    async sign() {
      const signed = await signature(
        { method, url: `https://example.amazonaws.com${path}`, body: null },
        { ...PAIR, ...(sessionToken && { sessionToken }) },
        { service: "service", region: "us-east-1" },
        Date.UTC(2015, 7, 30, 12, 36),
      );
      return signed.get("authorization");
    },
  };
}

export const SIGNATURES: readonly Signature[] = [
  row("get-vanilla", "GET", "/", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
  row(
    "get-vanilla-query-order-key-case",
    "GET",
    "/?Param2=value2&Param1=value1",
    "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
  ),
  row("post-vanilla", "POST", "/", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
  row(
    "post-sts-header-before",
    "POST",
    "/",
    "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
    SESSION,
  ),
];
