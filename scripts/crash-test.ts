// The long crash test: `npm run crash-test -- [kills] [seed]`.
import { crashTest } from '../src/testing/crash.ts';

const kills = Number(process.argv[2] ?? 100);
const seed = Number(process.argv[3] ?? Date.now() % 1_000_000);
console.log(`${kills} kills, seed ${seed}`);
const report = await crashTest({ kills, seed, report: (line) => console.log(line) });
console.log(report);
process.exitCode = report.lost.length + report.twice.length + report.drift > 0 ? 1 : 0;
