import { expect, vi } from 'vitest';
import type { startToyGraph } from './toy-graph.ts';

/** A subscription to the changes of the toy graph; its events need both subgraphs. */
export const CHANGED =
  'subscription ($id: ID!) { itemChanged(id: $id) { delta item { id name rating(scale: 10) } } }';

/** Returns the result of `CHANGED` for a change. */
export const changed = (id: string, delta: number) => ({
  itemChanged: { delta, item: { id, name: `item ${id}`, rating: Number(id) * 10 } },
});

/** Resolves when the subgraph has this number of subscriptions to changes. */
export async function changesReach(
  { changes }: Pick<Awaited<ReturnType<typeof startToyGraph>>, 'changes'>,
  count: number,
): Promise<void> {
  await vi.waitFor(() => expect(changes.listening()).toBe(count), { interval: 5 });
}
