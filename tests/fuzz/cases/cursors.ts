import { randomUUID } from 'node:crypto';
import type { Random } from '@gudang/testing/random';
import { WebSocket } from 'ws';
import { type FuzzCase, judgeAnswer, judgePost, RESPONSE_TIMEOUT_MS } from '../case.ts';
import { anyText, mutateText } from '../values.ts';

const PAGES = `query ($first: Int, $after: String, $last: Int, $before: String, $sort: StockSort) {
  orders(first: $first, after: $after, last: $last, before: $before) { edges { cursor } pageInfo { endCursor } }
  stocks(first: $first, after: $after, last: $last, before: $before, sort: $sort) { edges { cursor } pageInfo { endCursor } } }`;

const STREAMS = {
  stockCursor: 'subscription ($after: String) { stockChanged(after: $after) { kind cursor } }',
  orderCursor: 'subscription ($after: String) { ordersChanged(after: $after) { kind cursor } }',
} as const;
type StreamCursor = keyof typeof STREAMS;

/** Reads a valid cursor, either of a page or of a change stream. */
async function validCursor(
  url: string,
  authorization: string,
  field: StreamCursor | 'page',
): Promise<string> {
  const query =
    field === 'page' ? '{ stocks(first: 1) { pageInfo { endCursor } } }' : `{ ${field} }`;
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization },
    body: JSON.stringify({ query }),
  });
  const { data } = (await response.json()) as {
    data?: { [F in StreamCursor]?: string } & { stocks?: { pageInfo: { endCursor: string } } };
  };
  const { stockCursor, orderCursor, stocks } = data ?? {};
  return stockCursor ?? orderCursor ?? stocks?.pageInfo.endCursor ?? 'none';
}

const decode = (cursor: string): string => Buffer.from(cursor, 'base64url').toString();
const encode = (text: string): string => Buffer.from(text).toString('base64url');

/** Forges a cursor within a snapshot, from the cursor of a position. */
function withinSnapshot(random: Random, position: string): string {
  const [form = '', ...parts] = decode(position).split(',');
  const time = (): string => random.between(0, 2 * Date.now()).toString(36);
  const from = random.pick([`${time()}.${randomUUID()}`, anyText(random, 50), 'sku-1', '']);
  const rest = [
    random.between(0, 99),
    random.pick(['', time()]),
    `${random.pick(['c', 'd'])}${time()}`,
  ];
  return encode([form.replace('1', '2'), ...parts, ...rest, from].join(','));
}

/** Requests with damaged, foreign and invented cursors, for pages and streams. */
export const cursors: FuzzCase = async (random, { system, authorization }) => {
  const page = random.chance(0.7);
  const stream = random.pick(['stockCursor', 'orderCursor'] as const);
  const field = random.chance(0.8) === page ? 'page' : stream;
  const valid = await validCursor(system.gateway.url, authorization, field);
  const after = random.pick([
    () => valid,
    () => mutateText(random, valid),
    () => encode(mutateText(random, decode(valid))),
    () => withinSnapshot(random, valid),
    () => encode(mutateText(random, decode(withinSnapshot(random, valid)))),
    () => anyText(random, 100),
    () => '9'.repeat(random.between(1, 400)),
    () => `${'0'.repeat(8)}-0000-0000-0000-${'0'.repeat(12)}:${random.between(-9, 2 ** 31)}`,
  ])();
  if (page) {
    const sort = random.pick(['CREATED_DESC', 'NAME_ASC', 'QUANTITY_ASC']);
    const variables = random.chance(0.5)
      ? { first: 2, after, sort }
      : { last: 2, before: after, sort };
    return judgePost(`${system.gateway.url}/graphql`, JSON.stringify({ query: PAGES, variables }), {
      authorization,
    });
  }
  const socket = new WebSocket(
    `${system.gateway.url.replace('http', 'ws')}/graphql`,
    'graphql-transport-ws',
  );
  const received = await new Promise<string>((resolve) => {
    let text = '';
    // If the stream sends no message for 500 ms, the cursor counts as accepted.
    const quiet = setTimeout(() => resolve(text), 500);
    setTimeout(() => resolve(text), RESPONSE_TIMEOUT_MS).unref();
    socket.on('open', () => {
      socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization } }));
    });
    socket.on('message', (data) => {
      text += data;
      if (String(data).includes('connection_ack')) {
        const query = STREAMS[stream];
        socket.send(
          JSON.stringify({ id: '1', type: 'subscribe', payload: { query, variables: { after } } }),
        );
      } else quiet.refresh();
    });
    socket.on('close', () => resolve(text));
    socket.on('error', () => {});
  });
  socket.terminate();
  return judgeAnswer(200, received);
};
