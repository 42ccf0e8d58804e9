import { protocolErrors } from '@gudang/kafka';

const REFUSED_FOR_WHAT_IT_IS = new Set([
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_RECORD',
  'CORRUPT_MESSAGE',
]);

/** Whether the broker refused the record itself, so that sending it again cannot help. */
export function isPoison(error: unknown): boolean {
  return protocolErrors(error).some((type) => REFUSED_FOR_WHAT_IT_IS.has(type));
}
