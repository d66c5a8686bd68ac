/** Runs the shared suite on every runtime. */
import { RUNTIMES } from "./gateways.ts";
import { testSuite } from "./test_suite.ts";

for (const runtime of RUNTIMES) testSuite(runtime);
