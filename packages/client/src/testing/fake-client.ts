import type { ClientError } from '../client-error.ts';
import type { LiveClient, StateListener, SubscribeHandlers } from '../live-client.ts';
import type { LiveEvent } from '../live-event.ts';

/** A query that waits for its answer. */
export interface SentQuery {
  readonly document: unknown;
  readonly variables: unknown;
  readonly signal: AbortSignal | undefined;
  readonly headers: Readonly<Record<string, string>> | undefined;
  answer(data: unknown): void;
  fail(error: unknown): void;
}

/** A subscription; it stays in the list after its end. */
export interface SentSubscription {
  readonly document: unknown;
  readonly variables: unknown;
  readonly after: string | null | undefined;
  readonly isActive: boolean;
  /** Does nothing after the end of the subscription, as the real client. */
  readonly send: {
    readonly error: (error: ClientError) => void;
    readonly complete: () => void;
    readonly state: StateListener;
    next(event: Partial<LiveEvent<unknown>> & { data: unknown }): void;
  };
}

/** A client whose server is the test. */
export class FakeClient {
  readonly queries: SentQuery[] = [];
  readonly subscriptions: SentSubscription[] = [];
  readonly identityListeners = new Set<(identity: string) => void>();
  readonly stateListeners = new Set<unknown>();
  readonly client = this as unknown as LiveClient;
  state = 'connecting';
  stateReason: ClientError | null = null;
  identity = '';

  get active(): SentSubscription[] {
    return this.subscriptions.filter(({ isActive }) => isActive);
  }

  becomes(identity: string): void {
    this.identity = identity;
    for (const listener of [...this.identityListeners]) listener(identity);
  }

  onIdentity(listener: (identity: string) => void): () => void {
    this.identityListeners.add(listener);
    return () => void this.identityListeners.delete(listener);
  }

  onState(listener: unknown): () => void {
    this.stateListeners.add(listener);
    return () => void this.stateListeners.delete(listener);
  }

  query(
    document: unknown,
    variables: unknown,
    options: Pick<SentQuery, 'signal' | 'headers'> = { signal: undefined, headers: undefined },
  ): Promise<unknown> {
    const { signal, headers } = options;
    return new Promise((resolve, reject) => {
      const abort = (): void => reject(signal?.reason);
      signal?.addEventListener('abort', abort);
      const end =
        (settle: (value: unknown) => void) =>
        (value: unknown): void => {
          signal?.removeEventListener('abort', abort);
          settle(value);
        };
      const [answer, fail] = [end(resolve), end(reject)];
      this.queries.push({ document, variables, signal, headers, answer, fail });
    });
  }

  subscribe(
    document: unknown,
    variables: unknown,
    handlers: SubscribeHandlers<unknown>,
  ): () => void {
    const sent = { document, variables, after: handlers.after, isActive: true };
    const end = (): void => {
      sent.isActive = false;
    };
    handlers.signal?.addEventListener('abort', end);
    const send: SentSubscription['send'] = {
      next: (event) => {
        const whole = { cursor: null, conflated: 0, ...event } as LiveEvent<unknown>;
        if (sent.isActive) handlers.next(whole);
      },
      state: (state, reason) => {
        if (sent.isActive) handlers.state?.(state, reason);
      },
      error: (error) => {
        if (!sent.isActive) return;
        end();
        handlers.error?.(error);
      },
      complete: () => {
        if (!sent.isActive) return;
        end();
        handlers.complete?.();
      },
    };
    this.subscriptions.push(Object.assign(sent, { send }));
    handlers.state?.('connecting', null);
    return end;
  }
}
