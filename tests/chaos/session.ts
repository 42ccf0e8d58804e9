import { createTopicArchive } from '@gudang/testing/topic-archive';
import { startRig } from './rig/rig.ts';
import type { Session } from './run-fault.ts';

/** One running system and all that is known of it, for one fault after another. */
export async function startSession(): Promise<Session & { readonly stop: () => Promise<void> }> {
  const rig = await startRig();
  return {
    rig,
    archive: createTopicArchive(rig),
    told: { acknowledged: [], added: [], adjusted: [], foreign: [] },
    known: new Set(),
    stop: rig.stop,
  };
}
