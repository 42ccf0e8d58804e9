import type { RunningHttp } from '@gudang/runtime';
import { createPersistedQueries } from './documents/persisted-queries.ts';
import { loadSafelist } from './documents/safelist.ts';
import { startExecution } from './execution.ts';
import { loadHeaderRules } from './headers/header-rules.ts';
import { startGatewayHttp } from './http.ts';
import { createAdmission } from './limits/admission.ts';
import { readOperationLimits } from './limits/limit-settings.ts';
import { startLive } from './live.ts';
import { loadPlugins } from './plugins/load-plugins.ts';
import { createRequests } from './requests.ts';
import { createRuntime, type GatewayProcess } from './runtime.ts';
import { createSupergraphChange } from './supergraph-change.ts';
import { loadSupergraphSource } from './supergraph-source/supergraph-source.ts';

/** Starts the parts of the gateway. They stop in reverse order. */
export async function startGateway(process: GatewayProcess): Promise<RunningHttp> {
  const { HEADER_RULES: ruleFile, GATEWAY_PLUGINS: modules } = process.settings;
  const runtime = createRuntime(
    process,
    ruleFile ? await loadHeaderRules(ruleFile) : undefined,
    await loadPlugins(modules, process.log),
  );
  const { settings, started } = runtime;
  const { TRUSTED_DOCUMENTS: manifest } = settings;

  const source = await loadSupergraphSource(runtime);
  const { supergraph } = source;
  const addresses = runtime.addressesOf(supergraph);
  const documents = manifest ? await loadSafelist(manifest) : createPersistedQueries();
  const limits = readOperationLimits(settings);

  const requests = createRequests(runtime);
  const admission = createAdmission({
    graph: supergraph,
    documents,
    limits,
    planning: requests.clients.planning,
  });
  const execution = await startExecution(runtime, supergraph, requests.clients);
  const live = startLive(runtime, supergraph, execution.subgraphs, requests.clients);
  const serving = { addresses, requests, admission, execution, live };
  const { running, streams } = await startGatewayHttp(runtime, serving);

  const use = createSupergraphChange({ runtime, current: addresses, admission, execution, live });
  started('supergraph', source.start(use));
  // The streams are registered last, so that they stop first. Their clients can then reconnect to
  // another gateway while this one still answers other requests.
  started('streams', streams);
  return running;
}
