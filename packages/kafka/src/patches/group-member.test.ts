import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { type ConsumerGroup, keepMember } from './group-member.ts';

/** A stand-in for kafkajs's class, whose own needs a cluster; a fresh one, as each patch is kept. */
function createGroups(leave: () => Promise<void> = async () => {}) {
  class Group implements ConsumerGroup {
    readonly cluster: object;
    memberId: string | null = null;
    constructor(cluster: object) {
      this.cluster = cluster;
    }
    async connect(): Promise<void> {}
    async leave(): Promise<void> {
      await leave();
      this.memberId = null;
    }
  }
  return Group;
}
const outage = async (): Promise<never> => {
  throw new Error('the broker is away');
};

describe('a member of a consumer group', () => {
  it('is forgotten by kafkajs alone, which is what this mends', async () => {
    const Group = createGroups(outage);
    const cluster = {};
    const first = new Group(cluster);
    first.memberId = 'us';
    await first.leave().catch(() => {});
    const second = new Group(cluster);
    await second.connect();
    expect(second.memberId).toBeNull();
  });

  it('comes back as itself when it could not leave, each time', async () => {
    const Group = createGroups(outage);
    keepMember(Group.prototype);
    keepMember(Group.prototype);
    const cluster = {};
    const first = new Group(cluster);
    await first.connect();
    first.memberId = 'us';
    await expect(first.leave()).rejects.toThrow('the broker is away');
    for (const _ of [2, 3]) {
      const next = new Group(cluster);
      await next.connect();
      expect(next.memberId).toBe('us');
    }
    const other = new Group({});
    await other.connect();
    expect(other.memberId).toBeNull();
  });

  it('joins as a new one after it has left', async () => {
    const Group = createGroups();
    keepMember(Group.prototype);
    const cluster = {};
    const first = new Group(cluster);
    first.memberId = 'us';
    await first.leave();
    const second = new Group(cluster);
    await second.connect();
    expect(second.memberId).toBeNull();
  });

  it("is kept by kafkajs's own class, which has what the patch takes hold of", () => {
    const require = createRequire(import.meta.url);
    const { prototype } = require('kafkajs/src/consumer/consumerGroup');
    expect([typeof prototype.connect, typeof prototype.leave]).toEqual(['function', 'function']);
    expect(String(prototype.leave)).toContain('this.memberId = null');
  });
});
