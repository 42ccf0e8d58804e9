import type { GeneratedOperation, OperationKind } from '../requests/generate-operation.ts';
import { idOf } from '../requests/generate-payload.ts';

/**
 * A request as a real client sends it, with placeholders for the operation. Placeholders are
 * `$query`, `$operationName`, `$variables`, `$hash` (SHA-256 of the query), `$host`, `$length`, and
 * `$id` (of a websocket's operation).
 */
export interface Template {
  /** Name and version of the client, and how it was used. */
  readonly client: string;
  /** Kind of the operation that was recorded, and that is replayed. */
  readonly kind: OperationKind;
  readonly method: string;
  /** Parameters of the query string in order; the values of `variables` and `extensions` are JSON. */
  readonly parameters: readonly (readonly [name: string, value: unknown])[];
  /** Whether a space in the query string is written as `+`. */
  readonly isForm: boolean;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** JSON of the body; absent if there is none. */
  readonly body?: unknown;
  /** Messages of a websocket, in order; absent for HTTP. */
  readonly messages?: readonly unknown[];
}

/** Values for the placeholders. */
export interface Filling extends GeneratedOperation {
  readonly host: string;
}

/** Returns a copy of the value in which texts that are placeholders are replaced. */
export function fill(value: unknown, filling: Filling): unknown {
  if (typeof value === 'string') return fillText(value, filling);
  if (Array.isArray(value)) return value.map((one) => fill(one, filling));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, fill(inner, filling)]),
  );
}

function fillText(text: string, { query, names, variables, host }: Filling): unknown {
  switch (text) {
    case '$query':
      return query;
    case '$operationName':
      return names[0];
    case '$variables':
      return variables;
    case '$hash':
      return idOf(query);
    case '$id':
      return 'b6f0e5a4-59d3-4b0c-a9a5-0f3f3c1f7d10';
    default:
      return text.replaceAll('$host', host);
  }
}

/** Writes the parameters as a query string; empty if there are none. */
export function searchOf({ parameters, isForm }: Template, filling: Filling): string {
  if (parameters.length === 0) return '';
  const pairs = parameters.map(([name, value]): [string, string] => {
    const filled = fill(value, filling);
    return [name, typeof filled === 'string' ? filled : JSON.stringify(filled)];
  });
  if (isForm) return `?${new URLSearchParams(pairs)}`;
  const encoded = pairs.map((pair) => pair.map((one) => encodeURIComponent(one.toWellFormed())));
  return `?${encoded.map((pair) => pair.join('=')).join('&')}`;
}
