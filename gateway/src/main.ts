import './quiet-apollo.ts';
import { runProcess } from '@gudang/runtime/process';
import { gatewaySettings } from './settings.ts';

await runProcess('gateway', gatewaySettings, async (context) => {
  const { startGateway } = await import('./gateway.ts');
  await startGateway(context);
});
