import { createRequire } from 'node:module';

/** What is used here of kafkajs's ConsumerGroup, of which each start of a consumer makes a new one. */
export interface ConsumerGroup {
  /** One for the whole life of a consumer. */
  readonly cluster: object;
  memberId: string | null;
  connect(): Promise<void>;
  leave(): Promise<void>;
}

/**
 * kafkajs 2.2.4 forgets who it was in its group when it starts again after an outage: the broker
 * then waits a whole session time-out for the member that never comes back, and all others of the
 * group wait with it. Here a member that could not take its leave comes back as itself; one whom
 * the broker has forgotten meanwhile joins as a new one, as kafkajs does.
 */
export function patchGroupMember(): void {
  const require = createRequire(import.meta.url);
  keepMember(
    (require('kafkajs/src/consumer/consumerGroup') as { prototype: ConsumerGroup }).prototype,
  );
}

const patched = new WeakSet<object>();

/** Once for a prototype, however often it is called. */
export function keepMember(prototype: ConsumerGroup): void {
  if (patched.has(prototype)) return;
  patched.add(prototype);
  const members = new WeakMap<object, string>();
  const { connect, leave } = prototype;
  prototype.connect = async function connectAsItself(): Promise<void> {
    this.memberId ??= members.get(this.cluster) ?? null;
    await connect.call(this);
  };
  prototype.leave = async function leaveOrRemember(): Promise<void> {
    const { memberId } = this;
    if (memberId !== null) members.set(this.cluster, memberId);
    await leave.call(this);
    members.delete(this.cluster);
  };
}
