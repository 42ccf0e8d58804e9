import { type Identity, UNRESTRICTED } from '@gudang/auth';
import { createLogger } from '@gudang/runtime';
import { expect, it, vi } from 'vitest';
import { startScriptedSubgraph } from '../../testing/scripted-subgraph.ts';
import { createEventRun } from './event-run.ts';
import { startUpstreams } from './upstreams.ts';

const PLAN = { subgraph: 'items', variables: [], upstream: { query: 'costly' } };
const SINK = {
  next: vi.fn(),
  snapshot: vi.fn(),
  position: vi.fn(),
  error: vi.fn(),
  complete: vi.fn(),
};
const BUDI = { subject: 'Budi', scopes: [] };

/** Returns the extensions of a stream of a cost, as its subgraph receives them. */
async function extensionsOf(
  cost: number,
  foreign: boolean,
  { identity = UNRESTRICTED, isSlow = false }: { identity?: Identity; isSlow?: boolean } = {},
) {
  const subgraph = await startScriptedSubgraph(() => {});
  const { wsUrl } = subgraph;
  const upstreams = startUpstreams({
    addresses: [{ name: 'items', url: '', wsUrl, foreign }],
    secret: undefined,
    reconnectLimitMs: 60_000,
    log: createLogger('gateway', 'silent'),
  });
  const placement = { plan: PLAN as never, variables: {}, identity, cost };
  createEventRun(placement, { execute: () => async () => [] }, upstreams).subscribe(
    () => undefined,
    SINK,
    isSlow,
  );
  await vi.waitFor(() => expect(subgraph.subscriptions).toHaveLength(1));
  await upstreams.stop();
  await subgraph.stop();
  return subgraph.subscriptions[0]?.extensions;
}

it('marks costly streams in subscriptions to subgraphs of Gudang', async () => {
  expect(await extensionsOf(51, false)).toEqual({ gudang: { costly: true } });
  expect(await extensionsOf(50, false)).toBeUndefined();
  expect(await extensionsOf(51, false, { identity: BUDI })).toEqual({
    gudang: { costly: true, identity: BUDI },
  });
  expect(await extensionsOf(50, false, { identity: BUDI })).toEqual({ gudang: { identity: BUDI } });
});

it('marks slow streams in subscriptions to subgraphs of Gudang', async () => {
  expect(await extensionsOf(50, false, { isSlow: true })).toEqual({ gudang: { slow: true } });
});

it('does not tell foreign subgraphs', async () => {
  expect(await extensionsOf(51, true, { isSlow: true })).toBeUndefined();
});
