// `lockstep ...` with a clock in it: takes the time from a write's commit, as this process learns of it, until the boards show it.
import '../src/cli/heap.ts';
import leaderboard from '../services/leaderboard/service.ts';
import { Output } from '../src/cli/output.ts';
import { runCommandLine } from '../src/cli/program.ts';
import type { Live, ServiceDefinition } from '../src/index.ts';

/** Milliseconds, since they were last asked for. */
let latencies: number[] = [];

function timed(live: Live): Live {
  return {
    get watermark() {
      return live.watermark;
    },
    reached: (position, timeoutMs) => live.reached(position, timeoutMs),
    shown: (position) => live.shown(position),
    signal: (topic, key, data) => live.signal(topic, key, data),
    follow: (listener) => live.follow(listener),
    status: () => live.status(),
    // Called when the commit's answer has come.
    async applied(receipt, timeoutMs) {
      const committed = performance.now();
      const applied = await live.applied(receipt, timeoutMs);
      latencies.push(performance.now() - committed);
      return applied;
    },
  };
}

const probed: typeof leaderboard = {
  ...leaderboard,
  async routes(app, context) {
    app.get('/commit-to-visible', async () => {
      const taken = latencies;
      latencies = [];
      return taken;
    });
    await leaderboard.routes(app, { ...context, live: timed(context.live) });
  },
};

process.exitCode = await runCommandLine(process.argv.slice(2), {
  findServices: async () => [probed as unknown as ServiceDefinition],
  out: new Output({ stdout: process.stdout, stderr: process.stderr }),
  env: process.env,
  cwd: process.cwd(),
});
