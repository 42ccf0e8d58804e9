/** The part of a span that a journey needs. Times are in milliseconds since 1970. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly hasFailed: boolean;
  readonly orderId: string | undefined;
}

/** OTLP's status code of a failed span. */
const STATUS_ERROR = 2;
const ORDER_ID = 'gudang.order_id';
/** Maximum length of each text of a span. */
const MAX_LENGTH = 200;
/** The latest time that a Date can represent, in milliseconds since 1970. */
const MAX_TIME = 8.64e15;

/**
 * Reads the spans of an OTLP request in JSON (ExportTraceServiceRequest). Spans that lack an id, a name or a
 * time are left out.
 * @param body parsed from JSON, unchecked
 */
export function readSpans(body: unknown): ReceivedSpan[] {
  return listIn(body, 'resourceSpans')
    .flatMap((resource) => listIn(resource, 'scopeSpans'))
    .flatMap((scope) => listIn(scope, 'spans'))
    .flatMap((span) => readSpan(Object(span)) ?? []);
}

function readSpan(span: Readonly<Record<string, unknown>>): ReceivedSpan | undefined {
  const traceId = textOf(span['traceId']);
  const spanId = textOf(span['spanId']);
  const name = textOf(span['name']);
  const from = Number(span['startTimeUnixNano']) / 1e6;
  const to = Number(span['endTimeUnixNano']) / 1e6;
  if (!traceId || !spanId || !name || !isTime(from) || !isTime(to)) return undefined;
  const named = listIn(span, 'attributes').find((one) => Object(one)['key'] === ORDER_ID);
  return {
    traceId,
    spanId,
    parentSpanId: textOf(span['parentSpanId']),
    name,
    from,
    to,
    hasFailed: Object(span['status'])['code'] === STATUS_ERROR,
    orderId: textOf(Object(Object(named)['value'])['stringValue']),
  };
}

function isTime(ms: number): boolean {
  return ms > 0 && ms <= MAX_TIME;
}

function listIn(value: unknown, key: string): readonly unknown[] {
  const list: unknown = Object(value)[key];
  return Array.isArray(list) ? list : [];
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= MAX_LENGTH
    ? value
    : undefined;
}
