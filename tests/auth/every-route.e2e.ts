import { readFile } from 'node:fs/promises';
import {
  authorizationOf,
  CALLER_NAMES,
  expectedOutcome,
  maySeeSitisOrder,
  type Requirement,
  SECURED,
} from '@gudang/testing/clients/callers';
import { dataOf, graphAt } from '@gudang/testing/clients/graph-client';
import { useSystem } from '@gudang/testing/system/use-system';
import { beforeAll, describe, expect, it } from 'vitest';
import { json, sendRequest } from '../rest/rest-client.ts';

const system = useSystem({ environment: { all: SECURED } });
const origins = { order: () => system().order.url, stock: () => system().stock.url };

let stock = '';
let order = '';
beforeAll(async () => {
  const graph = graphAt(
    `${system().gateway.url}/graphql`,
    await authorizationOf('Siti with scopes'),
  );
  stock = await addStock();
  const created = await dataOf(
    graph('mutation ($id: ID!) { createOrder(input: { productId: $id, quantity: 1 }) { id } }', {
      id: stock,
    }),
  );
  order = created.createOrder.id;
});

async function addStock(): Promise<string> {
  const authorization = String(await authorizationOf('Siti with scopes'));
  const { body } = await sendRequest(origins.stock(), {
    route: 'POST /stock/add-stock',
    body: json({ name: 'Kopi', quantity: 100 }),
    headers: { 'content-type': 'application/json', authorization },
  });
  return body.Data.id;
}

interface Route {
  /** Method and path, written as in `tests/rest/README.md`. */
  readonly route: string;
  readonly of: 'order' | 'stock';
  readonly needs: Requirement;
  readonly status: number;
  readonly body?: () => object;
}

const ROUTES: readonly Route[] = [
  { route: 'GET /order/', of: 'order', needs: 'a token', status: 200 },
  {
    route: 'POST /order/add-order',
    of: 'order',
    needs: 'order:write',
    status: 201,
    body: () => ({ productid: stock, quantity: 1 }),
  },
  { route: 'POST /order/cancel/:id', of: 'order', needs: 'order:write', status: 200 },
  { route: 'GET /stock/', of: 'stock', needs: 'nothing', status: 200 },
  { route: 'GET /stock/:id', of: 'stock', needs: 'nothing', status: 200 },
  {
    route: 'POST /stock/add-stock',
    of: 'stock',
    needs: 'stock:write',
    status: 200,
    body: () => ({ name: 'Teh', quantity: 1 }),
  },
  {
    route: 'PUT /stock/update/:id',
    of: 'stock',
    needs: 'stock:write',
    status: 200,
    body: () => ({ name: 'Kopi', quantity: 90 }),
  },
  { route: 'DELETE /stock/delete/:id', of: 'stock', needs: 'stock:write', status: 200 },
];

const STATUS = { UNAUTHENTICATED: 401, FORBIDDEN: 403 } as const;

it.each(ROUTES)(
  '$route accepts only callers with the required token and scope',
  async ({ route, of, needs, status, body }) => {
    const got: Record<string, unknown> = {};
    const expected: Record<string, unknown> = {};
    for (const caller of CALLER_NAMES) {
      const isCancel = route.includes('cancel');
      const id = route.startsWith('DELETE') ? await addStock() : isCancel ? order : stock;
      const authorization = await authorizationOf(caller);
      const answer = await sendRequest(origins[of](), {
        route: route.replace(':id', id),
        ...(body ? { body: json(body()) } : {}),
        headers: {
          ...(body ? { 'content-type': 'application/json' } : {}),
          ...(authorization === undefined ? {} : { authorization }),
        },
      });
      got[caller] = answer.status;
      const outcome = expectedOutcome(caller, needs);
      const isHidden = isCancel && outcome === 'allowed' && !maySeeSitisOrder(caller);
      expected[caller] = isHidden ? 404 : outcome === 'allowed' ? status : STATUS[outcome];
      if (outcome !== 'allowed') expect(Object.keys(answer.body)).toEqual(['Message', 'Error']);
    }
    expect(got).toEqual(expected);
  },
);

it('the tests above cover every route in the REST documentation', async () => {
  const page = await readFile(new URL('../rest/README.md', import.meta.url), 'utf8');
  const written = [...page.matchAll(/^\| `(\w+) :800[01](\/\S*?)`/gm)].map(
    ([, method, path]) => `${method} ${path}`,
  );
  expect(ROUTES.map(({ route }) => route).sort()).toEqual(written.sort());
});

it('GET /order/ lists all orders for the scope order:read:all, and otherwise only the orders of the caller', async () => {
  const shown = async (caller: (typeof CALLER_NAMES)[number]): Promise<boolean> => {
    const authorization = String(await authorizationOf(caller));
    const { body } = await sendRequest(origins.order(), {
      route: 'GET /order/',
      headers: { authorization },
    });
    return body.Data.some(({ id }: { id: string }) => id === order);
  };
  expect(await shown('Siti without scopes')).toBe(true);
  expect(await shown('Budi with scopes')).toBe(false);
  expect(await shown('Rita with order:read:all')).toBe(true);
});

describe('/graphql of the subgraph', () => {
  it.each(['order', 'stock'] as const)(
    '%s rejects clients, even with a valid token',
    async (of) => {
      for (const caller of CALLER_NAMES) {
        const graph = graphAt(`${origins[of]()}/graphql`, await authorizationOf(caller));
        expect(await graph('{ __typename }')).toMatchObject({
          status: 403,
          errors: [{ extensions: { code: 'FORBIDDEN' } }],
        });
      }
    },
  );

  it('rejects a gateway with another SUBGRAPH_SECRET, and the gateway reports the cause', async () => {
    const other = await system().add('gateway', {
      SUBGRAPH_SECRET: 'another secret of the services',
    });
    const { parts } = await other.readiness();
    for (const of of ['order', 'stock']) {
      expect(parts[`subgraph ${of}`]).toEqual({
        state: 'degraded',
        reason: `the subgraph ${of} rejects this gateway: set the same SUBGRAPH_SECRET on both`,
      });
    }
    const { data } = await graphAt(`${other.url}/graphql`)('{ stocks { nodes { id } } }');
    expect(data ?? undefined).toBeUndefined();
  });
});
