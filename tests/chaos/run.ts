import { FAULTS, faultsNamed } from './faults/index.ts';
import { readOptions, USAGE } from './options.ts';
import { runRound } from './run-round.ts';
import { startSession } from './session.ts';
import { isSound, tableHead } from './table.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** @returns whether every fault fired and every guarantee held */
async function main(): Promise<boolean> {
  const { list, minutes, seed, short, faults: names } = readOptions(process.argv.slice(2));
  if (list) {
    for (const { name, title } of FAULTS) say(`${name.padEnd(28)} ${title}`);
    return true;
  }
  const faults = faultsNamed(names);
  const began = performance.now();
  const until = began + (minutes ?? 0) * 60_000;
  const session = await startSession();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void session.stop().finally(() => process.exit(130)));
  }
  let sound = true;
  let count = 0;
  try {
    for (let round = 0; round === 0 || performance.now() < until; round += 1) {
      say(`\nseed ${seed + round}`);
      say(tableHead());
      const results = await runRound({ session, faults, seed: seed + round, round, short, say });
      sound &&= results.every(isSound);
      count += results.length;
    }
  } finally {
    await session.stop();
  }
  const seconds = ((performance.now() - began) / 1_000).toFixed(0);
  say(
    `\n${count} faults in ${seconds} s: ${sound ? 'every guarantee held' : 'NOT all guarantees held'}`,
  );
  return sound;
}

try {
  process.exit((await main()) ? 0 : 1);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.stack : error}\n${USAGE}\n`);
  process.exit(2);
}
