import { replaceModule } from './kafkajs-internals.ts';
import { encodeProduceRequest, type ProduceRequest } from './produce-request.ts';

/** What kafkajs makes a request of; the versions from 3 on are all made so. */
export interface RequestToMake extends ProduceRequest {
  readonly compression?: number | undefined;
  readonly transactionalId?: string | null | undefined;
  readonly producerId?: number | { readonly value: bigint } | undefined;
}

/** Puts our encoder in the place of kafkajs 2.2.4's, for all that ours is for. */
export function patchProduceRequest(): void {
  replaceModule<(given: RequestToMake) => object>(
    'kafkajs/src/protocol/requests/produce/v3/request',
    (makeRequest) => (given) => {
      const request = makeRequest(given);
      if (!isPlain(given)) return request;
      return { ...request, encode: async () => encodeProduceRequest(given) };
    },
  );
}

function isPlain({ compression, transactionalId, producerId = -1 }: RequestToMake): boolean {
  const id = typeof producerId === 'number' ? BigInt(producerId) : producerId.value;
  return !compression && transactionalId == null && id === -1n;
}
