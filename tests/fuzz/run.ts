/**
 * Hostile inputs at a whole system: HTTP requests, documents, websocket frames, Kafka records, REST,
 * tokens, cursors. `npm run fuzz -- [--seed N] [--cases N] [--from N]`; the same seed, the same cases.
 */
import { parseArgs } from 'node:util';
import { INSPECTABLE, inspect, mebibytes } from '../bench/live/inspected.ts';
import { withLiveSystem } from '../bench/live/live-system.ts';
import { createVerdict } from '../bench/live/verdict.ts';
import { runFuzz } from './run-fuzz.ts';
import { fullAuthorization, HARDENED } from './target.ts';

/** Caches of texts and plans are full by then. */
const WARM_UP = 3_000;
const MAY_GROW = 24 * 1024 * 1024;

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    cases: { type: 'string', default: '10000' },
    from: { type: 'string', default: '0' },
  },
});
const [seed, cases, from] = [values.seed, values.cases, values.from].map(Number) as [
  number,
  number,
  number,
];
const verdict = createVerdict();

await withLiveSystem(
  { environment: { ...HARDENED, gateway: { ...HARDENED.gateway, ...INSPECTABLE } } },
  async (system) => {
    const target = { system, authorization: await fullAuthorization() };
    const process = await inspect(system.gateway.output);
    const onProgress = (done: number): void => verdict.say(`${done} cases`);
    const warm = Math.min(WARM_UP, Math.floor(cases / 2));
    const findings = await runFuzz(target, { seed, cases: warm, from, onProgress });
    const before = await process.collected();
    findings.push(
      ...(await runFuzz(target, { seed, cases: cases - warm, from: from + warm, onProgress })),
    );
    const after = await process.collected();
    process.close();
    for (const finding of findings) verdict.say(finding);
    // What the log has of an error under its id.
    if (findings.length > 0) verdict.say(system.logs(200));
    verdict.check(
      'no crash, no 5xx but shedding, nothing told of the inside',
      findings.length === 0,
      `${findings.length} findings in ${cases} cases of seed ${seed}`,
    );
    const grown = after.heapUsed + after.external - before.heapUsed - before.external;
    verdict.check(
      'the memory of the gateway is back',
      grown < MAY_GROW,
      `${mebibytes(before.heapUsed)} after ${warm} cases, ${mebibytes(after.heapUsed)} at the end`,
    );
  },
);
