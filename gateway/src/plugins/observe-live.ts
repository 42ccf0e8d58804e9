import { ANONYMOUS } from '@gudang/auth';
import { type DocumentNode, type GraphQLError, type GraphQLFormattedError, print } from 'graphql';
import type { LiveEnd, LiveSubscription } from '../../plugin.d.ts';
import type { ClientSink } from '../live/fanout/stream-client.ts';
import type { LiveRequest } from '../live/fanout/stream-placement.ts';
import type { StreamRegistry } from '../live/fanout/stream-registry.ts';
import { rootField } from '../live/planning/cursor-argument.ts';
import type { EventExecutor } from '../live/upstream/event-executor.ts';
import { askInTurn } from './hook-runner.ts';
import type { LoadedPlugin } from './load-plugins.ts';

type Subscriptions = Pick<StreamRegistry, 'subscribe' | 'isMetered'>;

/**
 * Calls the hooks `liveSubscribe` and `liveEnd` for the subscriptions of all protocols.
 * @param present presents the errors of a plugin to a client
 */
export function observeSubscriptions(
  live: Subscriptions,
  plugins: readonly LoadedPlugin[],
  present: (errors: readonly GraphQLError[]) => readonly GraphQLFormattedError[],
): Subscriptions {
  if (!plugins.some(({ plugin }) => plugin.liveSubscribe || plugin.liveEnd)) return live;
  return {
    isMetered: (account) => live.isMetered(account),
    subscribe: (request, sink) => {
      const subscription = describe(request);
      const observed = new ObservedSink(sink, subscription, plugins);
      let inner: ReturnType<Subscriptions['subscribe']> | undefined;
      let hasLeft = false;
      const begin = (): void => {
        if (hasLeft) return;
        observed.begin();
        inner = live.subscribe(request, observed);
      };
      const refuse = (error: unknown): void => {
        if (!hasLeft) sink.error(present([error as GraphQLError]));
      };
      try {
        const asked = askInTurn(plugins, 'liveSubscribe', (plugin) =>
          plugin.liveSubscribe?.(subscription),
        );
        if (asked === undefined) begin();
        else asked.then(begin).catch(refuse);
      } catch (error) {
        refuse(error);
      }
      return {
        leave: () => {
          hasLeft = true;
          inner?.leave();
          observed.end('left');
        },
        resume: () => inner?.resume(),
      };
    },
  };
}

/** Calls the hook `liveEvent` for each event. */
export function observeEvents(
  execute: EventExecutor,
  plugins: readonly LoadedPlugin[],
): EventExecutor {
  const observers = plugins.filter(({ plugin }) => plugin.liveEvent);
  if (observers.length === 0) return execute;
  return (plan, variables, context, waits) => {
    const run = execute(plan, variables, context, waits);
    const about = {
      subgraph: plan.subgraph,
      field: fieldOf(plan.document),
      identity: context.identity,
    };
    return async (events, arrived) => {
      const results = await run(events, arrived);
      for (const result of results) {
        for (const { plugin, runner } of observers) {
          runner.notify('liveEvent', () => plugin.liveEvent?.({ ...about, result }));
        }
      }
      return results;
    };
  };
}

function describe({
  read,
  variables,
  identity = ANONYMOUS,
  client,
}: LiveRequest): LiveSubscription {
  const { document, operation } = read;
  return {
    get query() {
      return print(document);
    },
    operationName: operation.name?.value,
    field: fieldOf(document),
    variables,
    identity,
    client,
  };
}

const fieldOf = (document: DocumentNode): string => rootField(document)?.name.value ?? '';

/** Passes a stream on to a client, and calls the hook `liveEnd` at its end. */
class ObservedSink implements ClientSink {
  readonly #sink: ClientSink;
  readonly #subscription: LiveSubscription;
  readonly #plugins: readonly LoadedPlugin[];
  /** Time of the start, by `performance.now()`; undefined before it and after the end. */
  #since: number | undefined;
  #messages = 0;

  constructor(sink: ClientSink, subscription: LiveSubscription, plugins: readonly LoadedPlugin[]) {
    this.#sink = sink;
    this.#subscription = subscription;
    this.#plugins = plugins;
  }

  begin(): void {
    this.#since = performance.now();
  }

  end(reason: LiveEnd['reason']): void {
    if (this.#since === undefined) return;
    const milliseconds = performance.now() - this.#since;
    this.#since = undefined;
    const end: LiveEnd = { reason, messages: this.#messages, milliseconds };
    for (const { plugin, runner } of this.#plugins) {
      runner.notify('liveEnd', () => plugin.liveEnd?.(this.#subscription, end));
    }
  }

  ready(): boolean {
    return this.#sink.ready();
  }

  write(...given: Parameters<ClientSink['write']>): void {
    this.#messages += given[0].length;
    this.#sink.write(...given);
  }

  error(errors: readonly GraphQLFormattedError[]): void {
    this.#sink.error(errors);
    this.end('failed');
  }

  complete(): void {
    this.#sink.complete();
    this.end('completed');
  }

  lagged(): void {
    this.#sink.lagged();
    this.end('lagged');
  }
}
