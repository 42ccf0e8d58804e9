import type { GraphQLError } from 'graphql';
import type { DeferredItem, PartSink } from '../defer/part-sink.ts';
import type { ExecutedOperation } from '../plan-execution/plan-executor.ts';

/** A part as the sink received it. */
interface Part {
  readonly items: readonly DeferredItem[];
  readonly hasNext: boolean;
}

/** A result in parts. */
export interface CollectedParts {
  readonly first: ExecutedOperation;
  readonly parts: readonly Part[];
}

type Json = Record<string, unknown>;

/** Runs an operation with `@defer`, and waits for all of its parts. */
export async function collectParts(
  run: (sink: PartSink) => Promise<ExecutedOperation>,
): Promise<CollectedParts> {
  const parts: Part[] = [];
  let hasBegun = false;
  let end = (): void => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const sink: PartSink = {
    begin: () => {
      hasBegun = true;
    },
    add: (items, hasNext) => {
      parts.push({ items: clone(items) as DeferredItem[], hasNext });
      if (!hasNext) end();
    },
  };
  const first = clone(await run(sink));
  if (hasBegun) await ended;
  // A part after the last one would arrive now.
  await new Promise((resolve) => setImmediate(resolve));
  return { first, parts };
}

/** Merges the parts of a result as a client does. @throws if a part belongs to no object */
export function mergeParts({ first, parts }: CollectedParts) {
  const { data = null, errors = [] } = clone(first);
  const all: GraphQLError[] = [...errors];
  for (const { items } of parts) {
    for (const item of items) {
      all.push(...(item.errors ?? []));
      let target: unknown = data;
      for (const key of item.path) target = ownOf(target as Json, String(key));
      if (typeof target !== 'object' || target === null) throw new Error(`nothing at ${item.path}`);
      if (item.data) mergeInto(target as Json, item.data as Json);
    }
  }
  return { data, errors: all };
}

function mergeInto(target: Json, source: Json): void {
  for (const [key, value] of Object.entries(source)) {
    const known = ownOf(target, key);
    if (typeof known === 'object' && known && typeof value === 'object' && value) {
      mergeInto(known as Json, value as Json);
    } else {
      // An alias may be `__proto__`.
      Object.defineProperty(target, key, {
        value,
        enumerable: true,
        configurable: true,
        writable: true,
      });
    }
  }
}

function ownOf(target: Json, key: string): unknown {
  return Object.getOwnPropertyDescriptor(target, key)?.value;
}

const clone = <T>(value: T): T => JSON.parse(JSON.stringify(value ?? null));
