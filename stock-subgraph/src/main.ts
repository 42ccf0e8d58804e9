import { runProcess } from '@gudang/runtime/process';
import { settingsTable } from './settings.ts';

await runProcess('stock-subgraph', settingsTable, async (context) => {
  const { startStockSubgraph } = await import('./stock-subgraph.ts');
  await startStockSubgraph(context);
});
