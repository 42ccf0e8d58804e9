import { requireInternal } from './kafkajs-internals.ts';

/**
 * kafkajs's ConsumerGroup, with only the properties that are used here. Each start of a consumer
 * creates a new ConsumerGroup object.
 */
export interface ConsumerGroup {
  /** Identifies the consumer: all ConsumerGroup objects of a consumer share this object. */
  readonly cluster: object;
  memberId: string | null;
  connect(): Promise<void>;
  leave(): Promise<void>;
}

/**
 * Keeps a consumer's member id across an outage. kafkajs 2.2.4 forgets the id when a consumer
 * restarts. The broker and the rest of the group then wait for the old member until its session
 * times out. With this patch, a member that could not leave rejoins with its id. If the broker has
 * forgotten the id, kafkajs joins as a new member.
 */
export function patchGroupMember(): void {
  keepMemberId(requireInternal<{ prototype: ConsumerGroup }>('consumer/consumerGroup').prototype);
}

const patched = new WeakSet<object>();

/** Patches a prototype. Later calls with the same prototype have no effect. */
export function keepMemberId(prototype: ConsumerGroup): void {
  if (patched.has(prototype)) return;
  patched.add(prototype);
  const memberIds = new WeakMap<object, string>();
  const { connect, leave } = prototype;
  prototype.connect = async function connectWithMemberId(): Promise<void> {
    this.memberId ??= memberIds.get(this.cluster) ?? null;
    await connect.call(this);
  };
  prototype.leave = async function leaveOrKeepMemberId(): Promise<void> {
    const { memberId } = this;
    if (memberId !== null) memberIds.set(this.cluster, memberId);
    await leave.call(this);
    memberIds.delete(this.cluster);
  };
}
