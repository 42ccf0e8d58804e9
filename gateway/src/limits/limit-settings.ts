import { callerSettings, integer, type Setting, type SettingsOf } from '@gudang/runtime/settings';
import type { TextLimits } from './parse-within.ts';

const MANY = 1_000_000;

/** Limits of one operation, on every protocol. */
export const operationLimitSettings = {
  LIMIT_NESTING: {
    description:
      'Maximum levels of nested lists and objects in a request, such as in its variables',
    parse: integer(4, 500),
    default: '64',
  },
  LIMIT_TOKENS: {
    description:
      'Maximum tokens (names, values and punctuation) of an operation; also the maximum of its lines',
    parse: integer(1, MANY),
    default: '2000',
  },
  LIMIT_DEPTH: {
    description: 'Maximum levels of nested fields of an operation',
    parse: integer(1, 1_000),
    default: '20',
  },
  LIMIT_ALIASES: {
    description: 'Maximum aliases of an operation',
    parse: integer(0, MANY),
    default: '100',
  },
  LIMIT_ROOT_FIELDS: {
    description: 'Maximum root fields of an operation',
    parse: integer(1, MANY),
    default: '50',
  },
  LIMIT_DIRECTIVES: {
    description: 'Maximum directives of an operation, such as @include',
    parse: integer(0, MANY),
    default: '50',
  },
  LIMIT_FRAGMENTS: {
    description:
      'Maximum spreads of named fragments in an operation; a fragment that is spread twice counts twice',
    parse: integer(0, MANY),
    default: '200',
  },
  LIMIT_OBJECT_FIELDS: {
    description:
      'Maximum fields with a selection set in an operation, on which the time for planning depends; a fragment that is spread twice counts twice',
    parse: integer(1, MANY),
    default: '200',
  },
  LIMIT_COST: {
    description:
      'Maximum cost of an operation: 1 for each object, 0.1 for each scalar value, multiplied by the sizes of the lists around it; 10 for each mutation, and 1 for each item of a batch',
    parse: integer(1, 1_000_000_000),
    default: '10000',
  },
  LIMIT_STREAM_COST: {
    description:
      'Maximum cost of a subscription, which is executed for each of its events; LIMIT_COST applies as well',
    parse: integer(1, 1_000_000_000),
    default: '500',
  },
} as const satisfies Record<string, Setting>;

/** Limits of clients: sizes, numbers of connections, rates and times. */
export const clientLimitSettings = {
  LIMIT_BODY_KIB: {
    // 1,000 items of a batch with texts of maximal length, in UTF-8, are 2.5 MB.
    description: 'Maximum size of a request body, in KiB',
    parse: integer(1, 102_400),
    default: '3072',
  },
  LIMIT_MESSAGE_KIB: {
    description: 'Maximum size of a websocket message, in KiB',
    parse: integer(1, 102_400),
    default: '64',
  },
  LIMIT_CONNECTIONS: {
    description: 'Maximum open websockets and HTTP streams',
    parse: integer(1, MANY),
    default: '20000',
  },
  LIMIT_CONNECTIONS_PER_ADDRESS: {
    description:
      'Maximum open websockets and HTTP streams of one address; loopback addresses have no limit',
    parse: integer(1, MANY),
    default: '200',
  },
  LIMIT_OPERATIONS: {
    description: 'Maximum running operations of one websocket',
    parse: integer(1, MANY),
    default: '1000',
  },
  LIMIT_INIT_S: {
    description: 'Maximum time for a websocket to send connection_init, in seconds',
    parse: integer(1, 600),
    default: '10',
  },
  LIMIT_IDLE_S: {
    description: 'Maximum time that a websocket may stay open without an operation, in seconds',
    parse: integer(1, 86_400),
    default: '600',
  },
  LIMIT_ANSWER_KIB: {
    description:
      'Maximum size of an answer, and of the answers of the subgraphs to one operation together, in KiB. While an answer is put together, it counts four times towards the memory limits',
    parse: integer(64, 1_048_576),
    default: '4096',
  },
  LIMIT_MEMORY_MIB: {
    description:
      'Maximum memory held for clients, in MiB: waiting events, queues, replay buffers and answers. Above it, the connections that hold the most are closed',
    parse: integer(16, MANY),
    default: '256',
  },
  LIMIT_MEMORY_PER_CALLER_MIB: {
    description:
      'The same for one principal, or for one address of anonymous callers; loopback addresses have no limit',
    parse: integer(1, MANY),
    default: '64',
  },
  LIMIT_MEMORY_PER_CONNECTION_MIB: {
    description: 'The same for one websocket, or for one HTTP request',
    parse: integer(1, MANY),
    default: '32',
  },
  ...callerSettings,
  LIMIT_REPLAYED_EVENTS: {
    description:
      "Maximum events per second that are replayed for one principal, or for one address of anonymous callers, from old cursors or in more than 20 streams; ten times as many at once. A stream and its events count once for each 20 of the stream's cost, and at least once. Above the limit, these streams pause. All callers that have replayed the events of more than 2.5 seconds share ten times this rate; loopback addresses have no limit",
    parse: integer(1, MANY),
    default: '200',
  },
  LIMIT_BAD_TOKENS: {
    description:
      'Maximum invalid tokens per second of one address; above it, unknown tokens are rejected unchecked; loopback addresses have no limit',
    parse: integer(1, MANY),
    default: '100',
  },
  SHED_DELAY_MS: {
    description:
      'Average delay of the event loop above which new operations are rejected with 503, in milliseconds; 0 rejects none',
    parse: integer(0, 60_000),
    default: '1000',
  },
} as const satisfies Record<string, Setting>;

export const limitSettings = { ...operationLimitSettings, ...clientLimitSettings } as const;

export type LimitSettings = SettingsOf<typeof limitSettings>;

export interface OperationLimits extends TextLimits {
  readonly nesting: number;
  readonly cost: number;
  /** Maximum cost of a subscription. */
  readonly streamCost: number;
}

export function readOperationLimits(settings: LimitSettings): OperationLimits {
  return {
    tokens: settings.LIMIT_TOKENS,
    depth: settings.LIMIT_DEPTH,
    aliases: settings.LIMIT_ALIASES,
    rootFields: settings.LIMIT_ROOT_FIELDS,
    directives: settings.LIMIT_DIRECTIVES,
    fragments: settings.LIMIT_FRAGMENTS,
    objectFields: settings.LIMIT_OBJECT_FIELDS,
    nesting: settings.LIMIT_NESTING,
    cost: settings.LIMIT_COST,
    streamCost: Math.min(settings.LIMIT_STREAM_COST, settings.LIMIT_COST),
  };
}
