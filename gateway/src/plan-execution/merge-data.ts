/** A JSON object during an execution. */
export type Data = Record<string, unknown>;

/**
 * Constructor of objects without inherited members. V8 optimizes them like ordinary objects, but
 * does not optimize objects of Object.create(null) in this way.
 */
function Bare(this: Data): void {}
Bare.prototype = Object.create(null);
export const createBare = (): Data => new (Bare as unknown as new () => Data)();

export function isObject(value: unknown): value is Data {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function own(object: Readonly<Data>, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/**
 * Merges a subgraph's data into the result, as deepMerge.ts of @apollo/gateway does, but also inside lists of
 * lists.
 */
export function mergeInto(target: Data, source: Readonly<Data> | null | undefined): Data {
  if (source === undefined || source === null) return target;
  for (const key of Object.keys(source)) {
    const value = source[key];
    if (value === undefined) continue;
    const known = own(target, key);
    if (known && isObject(value)) {
      mergeInto(known as Data, value);
    } else if (Array.isArray(value) && Array.isArray(known) && value.length === known.length) {
      mergeList(known, value);
    } else set(target, key, value);
  }
  return target;
}

function mergeList(target: unknown[], source: readonly unknown[]): void {
  for (const [index, element] of source.entries()) {
    const before = target[index];
    if (isObject(before) && isObject(element)) mergeInto(before, element);
    else if (Array.isArray(before) && Array.isArray(element) && before.length === element.length) {
      mergeList(before, element);
    } else target[index] = element;
  }
}

/**
 * Sets a key, which may also be the name of a member of Object's prototype, because an alias may be
 * `__proto__`.
 */
export function set(target: Data, key: string, value: unknown): void {
  if (Object.hasOwn(target, key) || !(key in target)) target[key] = value;
  else {
    const options = { configurable: true, enumerable: true, writable: true };
    Object.defineProperty(target, key, { ...options, value });
  }
}
