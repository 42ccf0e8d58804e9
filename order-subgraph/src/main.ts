import { runProcess } from '@gudang/runtime/process';
import { settingsTable } from './settings.ts';

await runProcess('order-subgraph', settingsTable, async (context) => {
  const { startOrderSubgraph } = await import('./order-subgraph.ts');
  await startOrderSubgraph(context);
});
