import { decodeRecord } from './record-decoder.ts';
import { replaceModule } from './replace-module.ts';

/** Puts our decoder in the place of kafkajs 2.2.4's. */
export function patchRecordDecoder(): void {
  replaceModule<typeof decodeRecord>(
    'kafkajs/src/protocol/recordBatch/record/v0/decoder',
    () => decodeRecord,
  );
}
