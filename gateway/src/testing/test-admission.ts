import { createMetrics } from '@gudang/runtime';
import { readSettings } from '@gudang/runtime/settings';
import { createPersistedQueries } from '../documents/persisted-queries.ts';
import { type Admission, createAdmission } from '../limits/admission.ts';
import { createClientLimits } from '../limits/client-limits.ts';
import { limitSettings, readOperationLimits } from '../limits/limit-settings.ts';
import { buildSupergraph } from '../supergraph.ts';
import { composeToys } from './toy-graph.ts';

const settings = readSettings(limitSettings, {});

/** What operations and clients are held to when nobody sets anything. */
export const DEFAULT_LIMITS = readOperationLimits(settings);
export const DEFAULT_CLIENT_LIMITS = createClientLimits(settings, createMetrics('test'));

/** The default limits, over the graph of toys. */
export function createTestAdmission(): Admission {
  return createAdmission({
    graph: buildSupergraph(composeToys()),
    documents: createPersistedQueries(),
    limits: DEFAULT_LIMITS,
  });
}
