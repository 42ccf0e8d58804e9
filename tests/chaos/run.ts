import { inspect } from 'node:util';
import { FAULTS, faultsNamed } from './faults/index.ts';
import { OptionsError, readOptions, USAGE } from './options.ts';
import { startProgress } from './progress.ts';
import { startSession } from './run-fault.ts';
import { runRound } from './run-round.ts';
import { hasPassed, tableHead } from './table.ts';

const print = (line: string): void => void process.stdout.write(`${line}\n`);

/** @returns whether every fault happened and all guarantees held */
async function main(): Promise<boolean> {
  const { list, help, minutes, seed, short, faults: names } = readOptions(process.argv.slice(2));
  if (help) {
    print(USAGE);
    return true;
  }
  if (list) {
    for (const { name, title } of FAULTS) print(`${name.padEnd(28)} ${title}`);
    return true;
  }
  const faults = faultsNamed(names);
  const began = performance.now();
  const until = began + (minutes ?? 0) * 60_000;
  const starting = startProgress('starting two PostgreSQL servers, Kafka and five services');
  const session = await startSession().finally(starting.stop);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void session.stop().finally(() => process.exit(130)));
  }
  let passed = true;
  let count = 0;
  try {
    for (let round = 0; round === 0 || performance.now() < until; round += 1) {
      print(`\nseed ${seed + round}`);
      print(tableHead());
      const results = await runRound({ session, faults, seed: seed + round, round, short, print });
      passed &&= results.every(hasPassed);
      count += results.length;
      const failed = results.filter((result) => !hasPassed(result));
      if (failed.length > 0) {
        const names = failed.map(({ fault }) => fault.name).join(' ');
        print(
          `\nReproduce: npm run chaos -- ${names} --seed ${seed + round}${short ? ' --short' : ''}`,
        );
      }
    }
  } finally {
    await session.stop();
  }
  const seconds = ((performance.now() - began) / 1_000).toFixed(0);
  print(
    `\n${count} ${count === 1 ? 'fault' : 'faults'} in ${seconds} s: ${passed ? 'all guarantees held' : 'guarantees were VIOLATED'}`,
  );
  return passed;
}

try {
  process.exit((await main()) ? 0 : 1);
} catch (error) {
  const isUsage = error instanceof OptionsError;
  const message = isUsage ? `${error.message}\n\n${USAGE}` : inspect(error);
  process.stderr.write(`${message}\n`);
  process.exit(2);
}
