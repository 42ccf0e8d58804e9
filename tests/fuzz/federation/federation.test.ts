import { expect, it } from 'vitest';
import { describeFinding } from './fuzz-federation.ts';
import { runFederation } from './run-federation.ts';

it('answers random operations on random supergraphs as graphql-js does (npm run fuzz -- federation runs more)', async () => {
  const run = { seed: 1, from: 4, graphs: 5, operations: 10 };
  const { executed, findings } = await runFederation(run);
  expect(findings.map(describeFinding)).toEqual([]);
  expect(executed).toBeGreaterThan(40);
}, 60_000);
