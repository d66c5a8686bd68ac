// The Worker of `takes_of.ts`: its counters are in Durable Objects.
import { objectCounters } from "../gateway/stores/object_counters.ts";
import { takes } from "./takes.ts";

export { SluiceState } from "../worker.ts";

export default {
  async fetch(request, env) {
    return Response.json(await takes([objectCounters(env.SLUICE_STATE)], await request.json()));
  },
};
