import { type ClientAddress, createClientAddress, type Metrics } from '@gudang/runtime';
import { ByteBudget, type ByteLimits } from './byte-budget.ts';
import { type ConnectionLimits, createConnectionLimits } from './connection-limits.ts';
import type { LimitSettings } from './limit-settings.ts';
import { PlanningBudget } from './planning-budget.ts';
import { ReplayRate } from './replay-rate.ts';
import { createRequestRate, type RequestRate } from './request-rate.ts';
import { createTokenChecks, type TokenChecks } from './token-checks.ts';

/** Limits of one websocket. */
export interface WebsocketLimits {
  readonly messageBytes: number;
  /** Maximum number of operations that run at the same time. */
  readonly operations: number;
  readonly initWithinMs: number;
  readonly idleMs: number;
}

/** Limits of clients: numbers of connections, rates, and message sizes. */
export interface ClientLimits {
  readonly addresses: ClientAddress;
  readonly connections: ConnectionLimits;
  readonly rate: RequestRate;
  readonly planning: PlanningBudget;
  readonly tokens: TokenChecks;
  readonly websocket: WebsocketLimits;
  /** Memory held for clients. */
  readonly memory: ByteBudget;
  readonly replays: ReplayRate;
  readonly sockets: { readonly all: number; readonly perAddress: number };
}

export function createClientLimits(settings: LimitSettings, metrics: Metrics): ClientLimits {
  const sockets = {
    all: settings.LIMIT_CONNECTIONS,
    perAddress: settings.LIMIT_CONNECTIONS_PER_ADDRESS,
  };
  const rate = createRequestRate(settings.LIMIT_REQUESTS, metrics);
  return {
    addresses: createClientAddress(settings.TRUSTED_PROXIES),
    connections: createConnectionLimits(sockets, metrics),
    rate,
    planning: new PlanningBudget(rate, metrics),
    tokens: createTokenChecks(settings.LIMIT_BAD_TOKENS, metrics),
    websocket: {
      messageBytes: settings.LIMIT_MESSAGE_KIB * 1024,
      operations: settings.LIMIT_OPERATIONS,
      initWithinMs: settings.LIMIT_INIT_S * 1000,
      idleMs: settings.LIMIT_IDLE_S * 1000,
    },
    memory: new ByteBudget(readByteLimits(settings), metrics),
    replays: new ReplayRate(settings.LIMIT_REPLAYED_EVENTS),
    sockets,
  };
}

const MIB = 1024 * 1024;

function readByteLimits(settings: LimitSettings): ByteLimits {
  return {
    total: settings.LIMIT_MEMORY_MIB * MIB,
    perCaller: settings.LIMIT_MEMORY_PER_CALLER_MIB * MIB,
    perConnection: settings.LIMIT_MEMORY_PER_CONNECTION_MIB * MIB,
  };
}
