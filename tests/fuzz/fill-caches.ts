import { graphAt } from '@gudang/testing/clients/graph-client';
import type { System } from '@gudang/testing/system/system';

/** Number of documents, of about 70 tokens each. The gateway's document cache cannot hold all of them. */
const DOCUMENTS = 1_800;
const AT_ONCE = 8;
const FIELDS = 'id name quantity version createdAt updatedAt';

/**
 * Fills the gateway's document cache with valid operations. Later documents evict earlier ones, so
 * further memory growth has another cause.
 */
export async function fillCaches({ gateway }: System): Promise<void> {
  const graph = graphAt(`${gateway.url}/graphql`);
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < DOCUMENTS) {
      const number = next;
      next += 1;
      const movements = 'movements(first: 1) { nodes { kind delta quantityAfter at } }';
      const page = `nodes { ${FIELDS} ${movements} } pageInfo { hasNextPage endCursor }`;
      const query = `query Fill${number}($after: String) {
        some: stocks(first: 1, after: $after, search: "${number}") { ${page} }
        more: stocks(first: 1, after: $after) { ${page} }
      }`;
      const { errors } = await graph(query);
      if (errors) throw new Error(`A valid operation was rejected: ${JSON.stringify(errors)}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
