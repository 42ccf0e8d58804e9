import { useSystem } from '@gudang/testing/system/use-system';
import { expect, it } from 'vitest';
import { runFuzz } from './run-fuzz.ts';
import { fullAuthorization, HARDENED } from './target.ts';

const system = useSystem({ environment: HARDENED });

it('takes hostile input of all kinds, and breaks nowhere; npm run fuzz sends more', async () => {
  const target = { system: system(), authorization: await fullAuthorization() };
  expect(await runFuzz(target, { seed: 1, cases: 350 })).toEqual([]);
}, 240_000);
