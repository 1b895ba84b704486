// The long chaos test: `npm run chaos-test -- [seconds] [seed]`.
import { chaosTest } from '../src/testing/chaos/chaos.ts';

const seconds = Number(process.argv[2] ?? 300);
const seed = Number(process.argv[3] ?? Date.now() % 1_000_000);
console.log(`${seconds} s, seed ${seed}`);
const report = await chaosTest({ seed, seconds, report: (line) => console.log(line) });
console.log(report);
process.exitCode = report.faults.length > 0 || report.drift !== 0 ? 1 : 0;
