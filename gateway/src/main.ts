import './quiet-apollo.ts';
import { runProcess } from '@gudang/service';
import { startGateway } from './gateway.ts';
import { gatewaySettings } from './settings.ts';

await runProcess('gateway', gatewaySettings, async (process) => {
  await startGateway(process);
});
