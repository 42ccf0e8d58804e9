export type SpanKind = 'server' | 'client' | 'producer' | 'consumer';

export interface SpanOptions {
  readonly kind: SpanKind;
  /** A W3C traceparent: what caused it. Absent or no such text: a new trace begins. */
  readonly parent?: string | null | undefined;
  /** Milliseconds since 1970; now unless told otherwise. */
  readonly from?: number;
  readonly attributes?: Readonly<Record<string, string | number>>;
}

/** Something that was done, as a part of a trace. */
export interface Span {
  /** For whoever does what comes of it. */
  readonly traceparent: string;
  readonly set: (name: string, value: string | number) => void;
  /** @param error what went wrong, if something did */
  readonly end: (error?: unknown) => void;
}

export type StartSpan = (name: string, options: SpanOptions) => Span;
