import type { FormattedExecutionResult, GraphQLFormattedError } from 'graphql';

/** A subscription as a subgraph is asked for it. */
export interface UpstreamRequest {
  readonly query: string;
  readonly operationName?: string | undefined;
  /** Asked for anew whenever the stream is subscribed again after a lost connection. */
  readonly variables: () => Readonly<Record<string, unknown>>;
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** Who gets a stream's events; `error` and `complete` each end it. */
export interface UpstreamSink {
  readonly next: (event: FormattedExecutionResult) => void;
  /** The subgraph says where the stream stands; null: nowhere until it says so again. */
  readonly position: (cursor: string | null) => void;
  readonly error: (errors: readonly GraphQLFormattedError[]) => void;
  readonly complete: () => void;
}
