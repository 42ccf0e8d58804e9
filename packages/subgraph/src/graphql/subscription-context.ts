/**
 * Where a subscription stands: a cursor, when all before it has been sent; null, when what it sends
 * now is at no position, such as a snapshot; undefined, when there is nothing to say.
 */
export type Position = string | null | undefined;

/** A subscription that says where it stands. */
export interface Positioned {
  readonly read: () => Position;
  /** Called when it begins to stand nowhere. */
  onLost: () => void;
}

const positions = new WeakMap<object, Positioned>();

/**
 * Lets a subscription say where it stands, to a gateway that wants to know.
 * @param context the context of its operation
 * @returns to be called before it sends what stands at no position
 */
export function registerPosition(context: object, read: () => Position): () => void {
  const positioned: Positioned = { read, onLost: () => {} };
  positions.set(context, positioned);
  return () => positioned.onLost();
}

/** What a subscription of this context has exposed. */
export function registeredPosition(context: unknown): Positioned | undefined {
  return typeof context === 'object' && context !== null ? positions.get(context) : undefined;
}
