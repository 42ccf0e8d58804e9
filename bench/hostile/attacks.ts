import { connect } from 'node:net';
import { WebSocket } from 'ws';
import { HOSTILE_KINDS, type HostileRequest } from './hostile-requests.ts';

/** Target and credentials of an attacker. */
export interface Attack {
  readonly host: string;
  readonly port: number;
  /** Address that the attacker appears to have. */
  readonly address: string;
  /** A token with all scopes, for the attack that a caller without a token cannot make. */
  readonly authorization: string;
  /** A cursor of `stockChanged` that many changes follow. */
  readonly oldCursor: string;
  readonly ids: readonly string[];
  readonly count: (what: string) => void;
  readonly countBytes: (bytes: number) => void;
}

/** Maximum number of aliased lists in a selection. An attacker tries fewer if the gateway refuses. */
const MAX_LISTS = 98;
const listsOf = (count: number): string =>
  Array.from(
    { length: count },
    (_, index) => `a${index}: movements(first: 100) { nodes { reason } }`,
  ).join(' ');
/** Connections that one attacker keeps open without reading. */
const UNREAD = 50;
const REQUESTS_PER_SECOND = 20;
const SUBSCRIPTIONS = 900;

/** Attacks by name. Each function begins the attack of one attacker, which continues indefinitely. */
export const ATTACKS = {
  /** Sends inputs with thousands of unknown fields, and does not read the answers. */
  'unread errors': (attack: Attack) =>
    keepUnread(attack, HOSTILE_KINDS['unknown fields of an input'], attack.authorization),
  /** Streams with the costliest selection that is admitted, from an old cursor; they are read. */
  'costly catch-up': (attack: Attack) => {
    openSocket(attack, (subscribe) => {
      for (let number = 0; number < 4; number += 1) {
        subscribe((lists) => ({
          query: `subscription ($after: String) { stockChanged(after: $after) { n${number}: cursor stock { id ${listsOf(lists)} } } }`,
          variables: { after: attack.oldCursor },
        }));
      }
    });
  },
  /** Many different streams with the costliest selection that is admitted. */
  'many costly streams': (attack: Attack) => {
    openSocket(attack, (subscribe) => {
      for (let number = 0; number < 200; number += 1) {
        subscribe((lists) => ({
          query: `subscription ($ids: [ID!]) { stockChanged(ids: $ids) { cursor stock { id n${number}: name ${listsOf(lists)} } } }`,
          variables: { ids: [...attack.ids, `${attack.address} ${number}`] },
        }));
      }
    });
  },
  /** Many subscriptions from an old cursor on one socket, which the attacker reads slowly. */
  'slow catch-up': (attack: Attack) => {
    const socket = openSocket(attack, (subscribe) => {
      for (let number = 0; number < SUBSCRIPTIONS; number += 1) {
        subscribe(() => ({
          query: `subscription ($after: String) { stockChanged(after: $after) { cursor stock { id n${number}: name quantity } } }`,
          variables: { after: attack.oldCursor },
        }));
      }
    });
    readSlowly(socket);
  },
  /** Sends queries with aliases of a long field, and does not read the answers. */
  'unread answers': (attack: Attack) =>
    keepUnread(attack, HOSTILE_KINDS['aliases of a long field']),
} as const satisfies Record<string, (attack: Attack) => void>;

export type AttackName = keyof typeof ATTACKS;

/** Reads what a bare server sends, as the attackers of an attack do; see bare-sender.ts. */
export function readBare(attack: Attack, name: AttackName): void {
  const socket = openSocket(attack, () => {});
  if (name === 'slow catch-up') readSlowly(socket);
}

/** Reads for 10 ms of each second, so that pings are answered. */
function readSlowly(socket: WebSocket): void {
  const reading = setInterval(() => {
    socket.resume();
    setTimeout(() => socket.pause(), 10);
  }, 1_000);
  socket.once('close', () => clearInterval(reading));
}

/** Keeps connections open, each with one request whose answer is not read. */
function keepUnread(
  attack: Attack,
  kind: (number: number) => HostileRequest,
  authorization?: string,
): void {
  let open = 0;
  let number = 0;
  const begin = (): void => {
    if (open >= UNREAD) return;
    number += 1;
    open += 1;
    const { target, headers, body } = kind(number);
    const all = { ...headers, ...(authorization ? { authorization } : {}) };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    const socket = connect(attack.port, attack.host, () => {
      attack.count('sent');
      socket.write(
        `POST ${target} HTTP/1.1\r\nhost: ${attack.host}:${attack.port}\r\nx-forwarded-for: ${attack.address}\r\n${lines.join('')}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      );
    });
    socket.pause();
    // A paused socket notices that the server has closed it only when it reads.
    const giveUp = setTimeout(() => socket.destroy(), 60_000);
    socket.on('error', () => attack.count('reset'));
    socket.on('close', () => {
      clearTimeout(giveUp);
      open -= 1;
    });
  };
  setInterval(begin, 1_000 / REQUESTS_PER_SECOND);
}

/** Returns a subscription with a number of aliased lists. */
type PayloadOf = (lists: number) => object;

/** Opens a websocket, and another one whenever it closes. @returns the first socket */
function openSocket(
  attack: Attack,
  begin: (subscribe: (payloadOf: PayloadOf) => void) => void,
): WebSocket {
  const socket = new WebSocket(
    `ws://${attack.host}:${attack.port}/graphql`,
    'graphql-transport-ws',
    { headers: { 'x-forwarded-for': attack.address } },
  );
  const running = new Map<string, { payloadOf: PayloadOf; lists: number }>();
  let last = 0;
  const subscribe = (payloadOf: PayloadOf, lists: number): void => {
    last += 1;
    running.set(`${last}`, { payloadOf, lists });
    if (socket.readyState !== socket.OPEN) return;
    socket.send(JSON.stringify({ id: `${last}`, type: 'subscribe', payload: payloadOf(lists) }));
  };
  const refused = (data: Buffer): void => {
    const { id, payload } = JSON.parse(String(data));
    const [error] = payload ?? [];
    attack.count(`error ${error?.extensions?.code}`);
    const asked = running.get(id);
    running.delete(id);
    // The selection is above a limit: the attacker tries half of it.
    if (asked && asked.lists > 1 && error?.extensions?.code === 'LIMIT_EXCEEDED') {
      subscribe(asked.payloadOf, Math.floor(asked.lists / 2));
    }
  };
  socket.on('error', () => attack.count('refused'));
  socket.on('open', () => socket.send('{"type":"connection_init"}'));
  socket.once('message', () => {
    attack.count('opened');
    begin((payloadOf) => subscribe(payloadOf, MAX_LISTS));
  });
  socket.on('message', (data: Buffer) => {
    attack.countBytes(data.length);
    if (data.subarray(0, 60).includes('"error"')) refused(data);
  });
  socket.on('close', (code) => {
    attack.count(`closed ${code}`);
    setTimeout(() => openSocket(attack, begin), 1_000);
  });
  return socket;
}
