import { inspect } from 'node:util';
import { FAULTS, faultsNamed } from './faults/index.ts';
import { OptionsError, readOptions, USAGE } from './options.ts';
import { startProgress } from './progress.ts';
import { runRound } from './run-round.ts';
import { startSession } from './session.ts';
import { isSound, tableHead } from './table.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** @returns whether every fault fired and every guarantee held */
async function main(): Promise<boolean> {
  const { list, help, minutes, seed, short, faults: names } = readOptions(process.argv.slice(2));
  if (help) {
    say(USAGE);
    return true;
  }
  if (list) {
    for (const { name, title } of FAULTS) say(`${name.padEnd(28)} ${title}`);
    return true;
  }
  const faults = faultsNamed(names);
  const began = performance.now();
  const until = began + (minutes ?? 0) * 60_000;
  const starting = startProgress('starting two PostgreSQL, a Kafka and five services');
  const session = await startSession().finally(starting.stop);
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
      const unsound = results.filter((result) => !isSound(result));
      if (unsound.length > 0) {
        const again = unsound.map(({ fault }) => fault.name).join(' ');
        say(`\nAgain: npm run chaos -- ${again} --seed ${seed + round}${short ? ' --short' : ''}`);
      }
    }
  } finally {
    await session.stop();
  }
  const seconds = ((performance.now() - began) / 1_000).toFixed(0);
  say(
    `\n${count} ${count === 1 ? 'fault' : 'faults'} in ${seconds} s: ${sound ? 'every guarantee held' : 'NOT all guarantees held'}`,
  );
  return sound;
}

try {
  process.exit((await main()) ? 0 : 1);
} catch (error) {
  const isUsage = error instanceof OptionsError;
  const told = isUsage ? `${error.message}\n\n${USAGE}` : inspect(error);
  process.stderr.write(`${told}\n`);
  process.exit(2);
}
