import { createRandom, type Random, seedOf } from '@gudang/testing/random';
import { anyHttpRequest, type HttpSource } from './generate-http.ts';
import { anyMessage } from './generate-message.ts';
import type { GeneratedOperation } from './generate-operation.ts';
import { createPayloadSource, createPool, idOf } from './generate-payload.ts';
import { judge, outcomeOf, type Verdict } from './judge.ts';
import { RawConnection } from './raw-connection.ts';
import { encodeRequest } from './raw-request.ts';
import { RawSocket } from './raw-socket.ts';
import { type RecordingSubgraph, requestOf } from './recording-subgraph.ts';
import { interpretHttp } from './reference-http.ts';
import { interpretMessage } from './reference-message.ts';
import { type Expectation, expectationOf, type Known } from './reference-request.ts';

/** A gateway whose only subgraph is the recording subgraph. */
export interface RequestTarget {
  readonly port: number;
  readonly subgraph: RecordingSubgraph;
  /** Persisted queries that earlier requests may have stored. */
  readonly persisted: Map<string, string>;
  /** Documents of the safelist; undefined if the gateway runs all documents. */
  readonly safelist?: readonly GeneratedOperation[];
  /** Issues a ticket for EventSource; undefined if auth is disabled. */
  readonly issueTicket?: () => Promise<string>;
}

export interface RequestRun {
  readonly seed: number;
  readonly cases: number;
  /** Number of the first case; default: 0. A case is reproducible by its number and the seed. */
  readonly from?: number;
}

export interface RequestReport {
  readonly executed: number;
  readonly refused: number;
  readonly mismatches: readonly string[];
}

/** Every eighth case is a websocket message; the others are HTTP requests. */
const WEBSOCKET_EVERY = 8;
/** If auth is enabled, every eighth case is a request of a browser's EventSource. */
const TICKET_AT = 3;
/** Time after which a client gets another ticket, in milliseconds; a ticket is valid for 30 s. */
const TICKET_MS = 20_000;
const AT_ONCE = 8;
const SHOWN_BYTES = 1_500;

interface Case {
  readonly expected: Expectation;
  readonly shown: string;
  readonly send: () => Promise<ReturnType<typeof outcomeOf>>;
}

/** One client, with one connection of each kind. */
class Client {
  readonly #http: RawConnection;
  readonly #socket: RawSocket;
  readonly #source: HttpSource;
  readonly #known: Known;

  constructor(port: number, source: HttpSource, known: Known) {
    this.#http = new RawConnection(port);
    this.#socket = new RawSocket(`ws://127.0.0.1:${port}/graphql`);
    this.#source = source;
    this.#known = known;
  }

  http(random: Random, marker: string, ticket?: string): Case {
    const request = anyHttpRequest(random, marker, this.#source, ticket);
    const bytes = encodeRequest(request);
    return {
      expected: expectationOf((doubts) => interpretHttp(request, this.#known, doubts)),
      shown: bytes.toString('latin1', 0, SHOWN_BYTES),
      send: async () => {
        const response = await this.#http.exchange(bytes, request.method === 'HEAD');
        return outcomeOf(request, response);
      },
    };
  }

  websocket(random: Random, marker: string): Case {
    const bytes = anyMessage(random, marker, this.#source.payloads);
    return {
      expected: expectationOf((doubts) => interpretMessage(bytes, this.#known, doubts)),
      shown: bytes.toString('utf8').slice(0, SHOWN_BYTES),
      send: () => this.#socket.exchange(bytes),
    };
  }

  close(): void {
    this.#http.close();
    this.#socket.close();
  }
}

/** Issues tickets, each for many requests. */
class TicketSource {
  readonly valid = new Set<string>();
  readonly #issue: () => Promise<string>;
  #ticket = '';
  #renewAt = 0;

  constructor(issue: () => Promise<string>) {
    this.#issue = issue;
  }

  async next(): Promise<string> {
    if (performance.now() >= this.#renewAt) {
      this.#renewAt = performance.now() + TICKET_MS;
      this.#ticket = await this.#issue();
      this.valid.add(this.#ticket);
    }
    return this.#ticket;
  }
}

/**
 * Sends generated requests and compares what the recording subgraph receives with what graphql-js
 * and the documented rules admit.
 */
export async function runRequests(
  { port, subgraph, persisted, safelist, issueTicket }: RequestTarget,
  { seed, cases, from = 0 }: RequestRun,
): Promise<RequestReport> {
  const tickets = issueTicket && new TicketSource(issueTicket);
  const pool = safelist ?? createPool(createRandom(seedOf(seed, 'pool')));
  const known: Known = {
    persisted,
    safelist: safelist && new Map(safelist.map(({ query }) => [idOf(query), query])),
    tickets: tickets?.valid,
  };
  const source = { payloads: createPayloadSource(pool), host: `127.0.0.1:${port}` };
  const counts = { executed: 0, refused: 0 };
  const mismatches: string[] = [];
  let next = from;
  const runCase = async (client: Client, number: number): Promise<void> => {
    const random = createRandom(seedOf(seed, `request ${number}`));
    const marker = `${number}x${random.between(0x10000000, 0x7fffffff).toString(16)}`;
    const kind = number % WEBSOCKET_EVERY;
    const ticket = kind === TICKET_AT ? await tickets?.next() : undefined;
    const { expected, shown, send } =
      kind === 0 ? client.websocket(random, marker) : client.http(random, marker, ticket);
    // A mutated request may name another marker.
    const requests = new Set([
      marker,
      ...(expected.kind === 'runs' ? expected.calls : []).map(requestOf),
    ]);
    const take = () =>
      [...requests]
        .flatMap((one) => subgraph.take(one))
        .sort((one, other) => one.number - other.number);
    const verdict = await verdictOf(expected, send, take).catch(
      (error: unknown): Verdict => ({ is: 'mismatch', what: String(error) }),
    );
    if (verdict.is === 'mismatch') mismatches.push(`case ${number}: ${verdict.what}\n${shown}`);
    else counts[verdict.is] += 1;
  };
  const worker = async (): Promise<void> => {
    const client = new Client(port, source, known);
    for (let number = next++; number < from + cases; number = next++) {
      await runCase(client, number);
    }
    client.close();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  for (const call of subgraph.left()) {
    mismatches.push(`no request explains the call ${call.field}${call.args.slice(0, 500)}`);
  }
  return { ...counts, mismatches };
}

async function verdictOf(
  expected: Expectation,
  send: Case['send'],
  take: () => ReturnType<RecordingSubgraph['take']>,
): Promise<Verdict> {
  const outcome = await send();
  const calls = take();
  return typeof outcome === 'string'
    ? { is: 'mismatch', what: outcome }
    : judge(expected, outcome, calls);
}
