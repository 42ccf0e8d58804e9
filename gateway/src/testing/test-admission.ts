import { readSettings } from '@gudang/service/settings';
import { type Admission, createAdmission } from '../limits/admission.ts';
import { limitSettings } from '../limits/limit-settings.ts';
import { readOperationLimits } from '../limits/operation-limits.ts';
import { loadSupergraph } from '../supergraph.ts';
import { composeToys } from './toy-graph.ts';

/** What operations are held to when nobody sets anything. */
export const DEFAULT_LIMITS = readOperationLimits(readSettings(limitSettings, {}));

/** The default limits, over the graph of toys. */
export function createTestAdmission(): Admission {
  return createAdmission({ graph: loadSupergraph(composeToys()), limits: DEFAULT_LIMITS });
}
