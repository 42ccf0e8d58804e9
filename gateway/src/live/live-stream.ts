import type { FormattedExecutionResult, GraphQLFormattedError } from 'graphql';
import type { UpstreamSink } from './subgraph-link.ts';

/** A client's side of a stream, on whatever protocol; `error` and `complete` each end it. */
export interface StreamSubscriber {
  /** @param payload the execution result as JSON, the same text for every subscriber */
  readonly next: (payload: string) => void;
  readonly error: (errors: readonly GraphQLFormattedError[]) => void;
  readonly complete: () => void;
}

export interface LiveStream {
  /** Whether a new subscriber would miss nothing: no event has come yet. */
  readonly joinable: () => boolean;
  /** Returns how to leave; the last one to leave closes the upstream. */
  readonly join: (subscriber: StreamSubscriber) => () => void;
}

/** One upstream and one execution an event, for all who joined. */
export function startLiveStream({
  subscribe,
  execute,
  onEvent,
  onDelivered,
  onEnd,
}: {
  subscribe: (sink: UpstreamSink) => () => void;
  /** Must not reject. */
  execute: (event: FormattedExecutionResult) => Promise<FormattedExecutionResult>;
  onEvent: () => void;
  onDelivered: (subscribers: number) => void;
  onEnd: () => void;
}): LiveStream {
  const subscribers = new Set<StreamSubscriber>();
  const waiting: FormattedExecutionResult[] = [];
  let end: ((subscriber: StreamSubscriber) => void) | undefined;
  let over = false;
  let working = false;
  let events = 0;

  const finish = (): void => {
    over = true;
    waiting.length = 0;
    subscribers.clear();
    closeUpstream();
    onEnd();
  };

  const deliver = (payload: string): void => {
    onDelivered(subscribers.size);
    for (const subscriber of subscribers) subscriber.next(payload);
  };

  // One event at a time: fields of other subgraphs are read in the order in which they are shown,
  // so a later event never shows an older state of them.
  const work = async (): Promise<void> => {
    if (working) return;
    working = true;
    for (let event = waiting.shift(); event && !over; event = waiting.shift()) {
      const result = await execute(event);
      if (!over) deliver(JSON.stringify(result));
    }
    working = false;
    if (!end || over) return;
    const leaving = [...subscribers];
    finish();
    for (const subscriber of leaving) end(subscriber);
  };

  const endWith = (how: (subscriber: StreamSubscriber) => void): void => {
    end = how;
    void work();
  };

  const closeUpstream = subscribe({
    next: (event) => {
      events += 1;
      onEvent();
      waiting.push(event);
      void work();
    },
    error: (errors) => endWith((subscriber) => subscriber.error(errors)),
    complete: () => endWith((subscriber) => subscriber.complete()),
  });

  return {
    joinable: () => events === 0 && !end && !over,
    join: (subscriber) => {
      subscribers.add(subscriber);
      return () => {
        if (subscribers.delete(subscriber) && subscribers.size === 0) finish();
      };
    },
  };
}
