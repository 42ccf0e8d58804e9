import { expect, vi } from 'vitest';
import type { startToyGraph } from './toy-graph.ts';

/** A subscription to the toy graph's changes whose events need both subgraphs. */
export const CHANGED =
  'subscription ($id: ID!) { itemChanged(id: $id) { delta item { id name rating(scale: 10) } } }';

/** The subscription's result for a change. */
export const changed = (id: string, delta: number) => ({
  itemChanged: { delta, item: { id, name: `item ${id}`, rating: Number(id) * 10 } },
});

/** Resolves when this many subscriptions to changes have reached the subgraph. */
export async function changesReach(
  { changes }: Pick<Awaited<ReturnType<typeof startToyGraph>>, 'changes'>,
  count: number,
): Promise<void> {
  await vi.waitFor(() => expect(changes.listening()).toBe(count), { interval: 5 });
}
