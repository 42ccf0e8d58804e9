import { useSystem } from '@gudang/testing/system/use-system';
import { expect, it } from 'vitest';
import { fullAuthorization, HARDENED } from './case.ts';
import { runFuzz } from './run-fuzz.ts';

const system = useSystem({ environment: HARDENED });

it('the system withstands hostile input of all kinds (npm run fuzz sends more cases)', async () => {
  const target = { system: system(), authorization: await fullAuthorization() };
  expect(await runFuzz(target, { seed: 1, cases: 350 })).toEqual([]);
}, 240_000);
