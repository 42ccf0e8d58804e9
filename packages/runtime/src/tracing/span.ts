export type SpanKind = 'server' | 'client' | 'producer' | 'consumer' | 'internal';

export interface SpanOptions {
  readonly kind: SpanKind;
  /** The W3C traceparent of the cause. If undefined or invalid, a new trace starts. */
  readonly parent?: string | null | undefined;
  /**
   * Whether a request of a client begins here. If only samples are traced, only such a span begins a
   * trace, whether or not the client traces the request.
   */
  readonly isEntry?: boolean;
  /** Start time of the span, in milliseconds since 1970. Default: now. */
  readonly from?: number;
  readonly attributes?: Readonly<Record<string, string | number>>;
}

/** A span: one step of a trace. */
export interface Span {
  /** The W3C traceparent to pass to the next steps of the trace. */
  readonly traceparent: string;
  readonly set: (name: string, value: string | number) => void;
  /** @param error marks the span as failed */
  readonly end: (error?: unknown) => void;
}

/** Starts a span; undefined if the span is not part of a sample. */
export type StartSpan = (name: string, options: SpanOptions) => Span | undefined;
