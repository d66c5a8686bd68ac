/** Runs the shared suite on the packed command: Node is the runtime that it adds. */
import { startServed } from "../runtimes/gateways.ts";
import { testSuite } from "../runtimes/test_suite.ts";
import { COMMANDS, installPackage } from "./installed.ts";

const IT = await installPackage();

testSuite({
  name: "node, the packed command",
  noticesLeavingBy: "close",
  noticesLeavingUpTo: Infinity,
  async start(env) {
    if (typeof IT === "string") throw new Error(IT);
    const [program, ...args] = await COMMANDS.node(IT);
    return await startServed(program, args, env);
  },
}, typeof IT === "string" ? IT : undefined);
