#!/usr/bin/env node
/**
 * The command `sluice`: serves the gateway, and starts what works with it. It runs on Node, Deno and Bun.
 *
 * @module
 */
import process from "node:process";
import { main } from "./command.ts";

await main(process.argv.slice(2));
