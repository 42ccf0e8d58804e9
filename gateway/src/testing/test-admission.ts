import { createMetrics } from '@gudang/runtime';
import { readSettings } from '@gudang/runtime/settings';
import { createPersistedQueries } from '../documents/persisted-queries.ts';
import { type Admission, createAdmission } from '../limits/admission.ts';
import { createClientLimits } from '../limits/client-limits.ts';
import { limitSettings, readOperationLimits } from '../limits/limit-settings.ts';
import { buildSupergraph } from '../supergraph.ts';
import { composeToys } from './toy-graph.ts';

const settings = readSettings(limitSettings, {});

/** The default limits of operations. */
export const DEFAULT_LIMITS = readOperationLimits(settings);
export const DEFAULT_CLIENT_LIMITS = createClientLimits(settings, createMetrics('test'));

/** Creates the admission for the toy graph, with the default limits. */
export function createTestAdmission(): Admission {
  return createAdmission({
    graph: buildSupergraph(composeToys()),
    documents: createPersistedQueries(),
    limits: DEFAULT_LIMITS,
    planning: DEFAULT_CLIENT_LIMITS.planning,
  });
}
