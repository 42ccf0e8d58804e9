/** JSON objects on their way through an execution. */
export type Data = Record<string, unknown>;

/** Objects without a prototype's members that V8 keeps as fast as others, unlike Object.create(null). */
function Bare(this: Data): void {}
Bare.prototype = Object.create(null);
export const createBare = (): Data => new (Bare as unknown as new () => Data)();

export function isObject(value: unknown): value is Data {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function own(object: Readonly<Data>, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** Adds what a subgraph has sent to what is known, as @apollo/gateway's deepMerge.ts does it. */
export function mergeInto(target: Data, source: Readonly<Data> | null | undefined): Data {
  if (source === undefined || source === null) return target;
  for (const key of Object.keys(source)) {
    const value = source[key];
    if (value === undefined) continue;
    const known = own(target, key);
    if (known && isObject(value)) {
      mergeInto(known as Data, value);
    } else if (Array.isArray(value) && Array.isArray(known) && value.length === known.length) {
      for (const [index, element] of value.entries()) {
        const before = known[index];
        if (isObject(before) && isObject(element)) mergeInto(before, element);
        else known[index] = element;
      }
    } else set(target, key, value);
  }
  return target;
}

/** An alias may be named like a member of Object's prototype, such as `__proto__`. */
function set(target: Data, key: string, value: unknown): void {
  if (Object.hasOwn(target, key) || !(key in target)) target[key] = value;
  else {
    const options = { configurable: true, enumerable: true, writable: true };
    Object.defineProperty(target, key, { ...options, value });
  }
}
