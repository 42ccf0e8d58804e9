// The fuzzer runs hundreds of supergraphs, so it does not start a gateway for each of them.
// biome-ignore lint/style/noRestrictedImports: see above; no package exports the gateway's planner and executor
export { createFederatedGraph } from '../../../gateway/src/testing/federated-graph.ts';
