import { expect, it } from 'vitest';
import { findStale } from './compose.ts';

it('the committed supergraph is what the subgraphs compose to', async () => {
  expect(await findStale()).toBeUndefined();
});
